import { expect, test } from 'vitest';
import { makeElf } from '../../fixtures/make-elf.ts';
import { makeTree, type TreeEntry } from '../../fixtures/make-tree.ts';
import { hostFiles } from '../host/files.ts';
import { findInit } from './init.ts';
import { findShell, rootShellOf } from './shell.ts';

const program: TreeEntry = { program: makeElf({ machine: 62 }) };

const holding = (text: string): TreeEntry => ({
  program: Buffer.concat([makeElf({ machine: 62 }), Buffer.from(`\0${text}\0`)]),
});

const initOf = async (entries: Record<string, TreeEntry>) => {
  await using tree = await makeTree(entries);
  return await findInit(hostFiles, tree.root);
};

test('Debian: init leads over merged directories to systemd, whose library tells the version', async () => {
  expect(
    await initOf({
      'usr/lib/systemd/systemd': program,
      'usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so': 'x',
      lib: { link: 'usr/lib' },
      sbin: { link: 'usr/sbin' },
      'usr/sbin/init': { link: '/lib/systemd/systemd' },
    }),
  ).toEqual({ init: 'systemd', initPath: '/sbin/init', systemdVersion: 252 });
});

test('Fedora: the version is in the name with the package release', async () => {
  expect(
    await initOf({
      'usr/lib/systemd/systemd': program,
      'usr/lib64/systemd/libsystemd-shared-255.4-1.fc40.so': 'x',
      'usr/sbin/init': { link: '../lib/systemd/systemd' },
    }),
  ).toMatchObject({ init: 'systemd', systemdVersion: 255 });
});

test('an old systemd has its version in the program itself', async () => {
  const old = Buffer.concat([
    makeElf({ machine: 62 }),
    Buffer.from('\0systemd 219 running in %s\0'),
  ]);
  expect(
    await initOf({
      'lib/systemd/systemd': { program: old },
      'sbin/init': { link: '../lib/systemd/systemd' },
    }),
  ).toMatchObject({ systemdVersion: 219 });
});

test('when the link is gone systemd is found where it is', async () => {
  expect(await initOf({ 'usr/lib/systemd/systemd': program })).toMatchObject({
    init: 'systemd',
    initPath: '/usr/lib/systemd/systemd',
  });
});

test('sysvinit is a program with an inittab, OpenRC one whose start-up calls openrc', async () => {
  const sysvinit = {
    'sbin/init': holding('/etc/inittab'),
    'etc/inittab': 'si::sysinit:/etc/init.d/rcS\n',
  };
  expect((await initOf(sysvinit)).init).toBe('sysvinit');
  const debian = {
    ...sysvinit,
    'sbin/openrc': program,
    'etc/runlevels/default': { directory: true } as const,
    'etc/init.d/rcS': { program: '#!/bin/sh\nexec /sbin/openrc sysinit\n' },
  };
  expect((await initOf(debian)).init).toBe('openrc');
  const gentoo = {
    ...sysvinit,
    'sbin/openrc': program,
    'etc/inittab': 'rc::bootwait:/sbin/openrc boot\n',
  };
  expect((await initOf(gentoo)).init).toBe('openrc');
  const leftOver = {
    ...sysvinit,
    'sbin/openrc': program,
    'etc/inittab': '#rc::bootwait:/sbin/openrc\n',
  };
  expect((await initOf(leftOver)).init).toBe('sysvinit');
});

test('sysvinit that lost its inittab is still sysvinit, and upstart is not taken for it', async () => {
  expect((await initOf({ 'sbin/init': holding('/etc/inittab') })).init).toBe('sysvinit');
  const upstart = {
    'sbin/init': holding('/etc/inittab\0upstart'),
    'etc/inittab': 'id:3:initdefault:\n',
  };
  expect((await initOf(upstart)).init).toBe('unknown');
});

test('the tree of a rescue image has systemd under the name init, between tables for others', async () => {
  expect(
    await initOf({
      init: { link: 'bin/init' },
      bin: { link: 'usr/bin' },
      'usr/bin/init': holding('libsystemd-core-252.so'),
      'etc/inittab': '::sysinit:/etc/scripts/system-setup\n',
      'etc/init/rcS.conf': 'x',
    }),
  ).toEqual({ init: 'systemd', initPath: '/bin/init', systemdVersion: 252 });
});

test('busybox keeps the name by which it is the init, and starts OpenRC on Alpine', async () => {
  const busybox = { 'bin/busybox': program, 'sbin/init': { link: '/bin/busybox' } };
  expect(await initOf(busybox)).toEqual({
    init: 'busybox',
    initPath: '/sbin/init',
    systemdVersion: null,
  });
  expect(
    (
      await initOf({
        ...busybox,
        'sbin/openrc': program,
        'etc/inittab': '::sysinit:/sbin/openrc sysinit\n',
      })
    ).init,
  ).toBe('openrc');
});

test('openrc-init and the script of a rescue image are found', async () => {
  expect((await initOf({ 'sbin/openrc-init': program })).init).toBe('openrc');
  expect(await initOf({ init: { program: '#!/bin/bash\n' } })).toEqual({
    init: 'unknown',
    initPath: '/init',
    systemdVersion: null,
  });
});

test('an init that is empty, not executable, dangling or on the host is none', async () => {
  for (const entry of [
    'not executable',
    { program: '' },
    { link: '/gone' },
    { link: '../../../../../sbin/init' },
  ]) {
    expect((await initOf({ 'sbin/init': entry })).initPath).toBeNull();
  }
});

const shellOf = async (entries: Record<string, TreeEntry>) => {
  await using tree = await makeTree(entries);
  return await findShell(hostFiles, tree.root);
};

test("root's own shell is taken when it can be executed, else another one", async () => {
  const zsh = { 'etc/passwd': 'root:x:0:0:root:/root:/usr/bin/zsh\n', 'bin/sh': program };
  expect(await shellOf({ ...zsh, 'usr/bin/zsh': program })).toBe('/usr/bin/zsh');
  expect(await shellOf({ ...zsh, 'usr/bin/zsh': 'not executable' })).toBe('/bin/sh');
  expect(await shellOf({ 'bin/busybox': program })).toBe('/bin/busybox');
  expect(await shellOf({ 'etc/passwd': { link: '/proc/self/mem' } })).toBeNull();
});

test('a locked account with nologin still gets a shell', async () => {
  expect(
    await shellOf({
      'etc/passwd': 'root:x:0:0::/root:/usr/sbin/nologin\n',
      'usr/sbin/nologin': program,
      'bin/bash': program,
    }),
  ).toBe('/bin/bash');
});

test('the shell field may be empty, and root is known by name before number', () => {
  expect(rootShellOf('root:x:0:0:root:/root:\n')).toBe('/bin/sh');
  expect(rootShellOf('toor:x:0:0::/root:/bin/csh\nroot:x:0:0::/root:/bin/bash\n')).toBe(
    '/bin/bash',
  );
  expect(rootShellOf('garbage')).toBeNull();
});
