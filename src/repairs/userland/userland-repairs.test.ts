import { createHash } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { makeDynamicElf } from '../../../fixtures/make-dynamic-elf.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { smallDebian } from '../../../fixtures/small-debian.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { Change } from '../../changes/change.ts';
import { userlandChecks } from '../../diagnosis/userland/checks.ts';
import { type BenchCommand, noWishes, type RepairTools } from '../repair.ts';
import { userlandRepairs } from './repairs.ts';

type Changes = Readonly<Record<string, TreeEntry | null>>;

/** A bench on which everything succeeds and nothing changes; it tells what it was asked. */
const benchOf = (asked: BenchCommand[], exitCode = 0): RepairTools => ({
  wishes: noWishes,
  bench: async (commands) => {
    asked.push(...commands);
    const results = [{ exitCode, stdout: '', stderr: exitCode === 0 ? '' : 'no such luck' }];
    return { results, changes: [] };
  },
});

const words = (change: Change): string => {
  switch (change.kind) {
    case 'write-file':
      return `write ${change.path}: ${change.content.toString().slice(0, 120)}`;
    case 'make-link':
      return `link ${change.path} -> ${change.to}`;
    case 'make-directory':
      return `directory ${change.path} ${change.attributes.mode.toString(8)}`;
    case 'remove':
      return `remove ${change.path}`;
    case 'set-attributes':
      return `attributes ${change.path} ${change.attributes.mode?.toString(8) ?? ''}`;
    default:
      return change.kind;
  }
};

/** What one repair would do for all that the checks find in the small Debian with these changes. */
const planOf = async (
  id: string,
  changes: Changes,
  { modes = {}, tools = benchOf([]) }: { modes?: Record<string, number>; tools?: RepairTools } = {},
): Promise<readonly string[] | string> => {
  const all = Object.entries({ ...smallDebian, ...changes });
  await using tree = await makeTree(
    Object.fromEntries(all.filter((pair): pair is [string, TreeEntry] => pair[1] !== null)),
  );
  for (const [path, mode] of Object.entries(modes)) await chmod(`${tree.root}/${path}`, mode);
  const subject = await subjectOf(tree.root);
  const found = (await Promise.all(userlandChecks.map((check) => check.run(subject)))).flat();
  const repair = userlandRepairs.find((one) => one.id === id);
  const findings = found.filter((finding) => finding.repair === id);
  expect(findings).not.toEqual([]);
  const plan = await repair?.plan(subject, findings, tools);
  if (plan?.kind === 'refused') return plan.reason;
  return (plan?.changes ?? []).map(words);
};

test.each<readonly [string, Changes, readonly string[]]>([
  ['userland.relink', { bin: null }, ['link /bin -> usr/bin']],
  ['userland.relink', { sbin: { link: '/old/sbin' } }, ['link /sbin -> usr/sbin']],
  ['userland.make-directories', { proc: null }, ['directory /proc 755']],
  ['userland.init', { 'usr/sbin/init': null }, ['link /sbin/init -> /lib/systemd/systemd']],
  [
    'userland.unmask',
    { 'etc/systemd/system/basic.target': '' },
    ['remove /etc/systemd/system/basic.target'],
  ],
  [
    'userland.default-target',
    { 'etc/systemd/system/default.target': { link: '/gone' } },
    ['remove /etc/systemd/system/default.target'],
  ],
  [
    'userland.default-target',
    { 'usr/lib/systemd/system/default.target': null },
    ['link /etc/systemd/system/default.target -> /usr/lib/systemd/system/graphical.target'],
  ],
  ['userland.machine-id', { 'etc/machine-id': null }, ['write /etc/machine-id: ']],
  [
    'userland.machine-id',
    { 'etc/machine-id': '\0\0', 'var/lib/dbus/machine-id': `${'ab'.repeat(16)}\n` },
    [`write /etc/machine-id: ${'ab'.repeat(16)}\n`],
  ],
  [
    'userland.preload',
    { 'etc/ld.so.preload': '/gone.so\n# kept\n' },
    ['write /etc/ld.so.preload: # kept\n'],
  ],
  [
    'userland.nsswitch',
    { 'etc/nsswitch.conf': 'passwd:\ngroup: files\nshadow: files\n' },
    ['write /etc/nsswitch.conf: passwd: files\ngroup: files\nshadow: files\n'],
  ],
  [
    'userland.nsswitch',
    { 'etc/nsswitch.conf': 'hosts: files\npasswd:  ldap # all\ngroup: files\n' },
    ['write /etc/nsswitch.conf: hosts: files\npasswd:  files ldap # all\ngroup: files\n'],
  ],
  ['userland.package-lock', { 'var/lib/pacman/db.lck': '' }, ['remove /var/lib/pacman/db.lck']],
])('%s with %o plans %o', async (id, changes, expected) => {
  expect(await planOf(id, changes)).toEqual(expected);
});

test('a restored account file is the copy that the tools keep', async () => {
  const copy = 'root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\n';
  const changes = { 'etc/passwd': null, 'etc/passwd-': copy };
  expect(await planOf('userland.restore-accounts', changes)).toEqual([
    `write /etc/passwd: ${copy}`,
  ]);
});

test('only the line of root is put back where the other accounts are there', async () => {
  const changes = { 'etc/group': 'root:x\nshadow:x:42:\nalice:x:1000:\n' };
  expect(await planOf('userland.restore-accounts', changes)).toEqual([
    'write /etc/group: root:x:0:\nshadow:x:42:\nalice:x:1000:\n',
  ]);
});

test('passwords that are lost are locked and never empty', async () => {
  expect(await planOf('userland.restore-accounts', { 'etc/shadow': '' })).toEqual([
    'write /etc/shadow: root:*:19700:0:99999:7:::\ndaemon:*:19700:0:99999:7:::\n',
  ]);
});

test('without any copy of passwd nothing is made up', async () => {
  expect(await planOf('userland.restore-accounts', { 'etc/passwd': null })).toContain('no copy');
});

const libc = makeDynamicElf({ soname: 'libc.so.6', versions: ['GLIBC_2.36'] });

const withLibc: Changes = {
  'usr/bin/sh': { program: makeDynamicElf({ needed: ['libc.so.6'] }) },
  'var/lib/dpkg/info/libc6:amd64.list': '/lib/x86_64-linux-gnu/libc.so.6\n',
  'var/lib/dpkg/info/libc6:amd64.md5sums': `${createHash('md5').update(libc).digest('hex')}  lib/x86_64-linux-gnu/libc.so.6\n`,
};

test('a library comes back from a renamed copy with the right checksum', async () => {
  const beside = 'usr/lib/x86_64-linux-gnu';
  const changes = { [`${beside}/libc.so.6.old`]: 'another', [`${beside}/libc.so.6.orig`]: libc };
  const plan = await planOf('userland.restore-file', { ...withLibc, ...changes });
  expect(plan).toHaveLength(1);
  expect(plan[0]).toContain('write /lib/x86_64-linux-gnu/libc.so.6: \x7fELF');
});

test('a copy with another checksum is not taken', async () => {
  const changes = { 'usr/lib/x86_64-linux-gnu/libc.so.6.old': makeDynamicElf() };
  expect(await planOf('userland.restore-file', { ...withLibc, ...changes })).toContain(
    'no undamaged copy',
  );
});

test('the name of a library is a link to the file that has it in its header', async () => {
  const changes = {
    'lib/x86_64-linux-gnu/libc-2.31.so': libc,
    'var/lib/dpkg/info/libc6:amd64.md5sums': `${'0'.repeat(32)}  lib/x86_64-linux-gnu/libc-2.31.so\n`,
  };
  expect(await planOf('userland.restore-file', { ...withLibc, ...changes })).toEqual([
    'link /lib/x86_64-linux-gnu/libc.so.6 -> libc-2.31.so',
  ]);
});

const halfDone =
  'Package: tool\nStatus: install ok half-configured\nVersion: 1:2-3\nArchitecture: all\n';

test('an interrupted upgrade is finished on the bench, without questions', async () => {
  const asked: BenchCommand[] = [];
  const changes = { 'var/lib/dpkg/status': halfDone, 'var/lib/dpkg/info/tool.list': '/.\n' };
  await planOf('userland.dpkg-configure', changes, { tools: benchOf(asked) });
  expect(asked.map((command) => command.words.join(' '))).toEqual([
    'dpkg --force-confdef --force-confold --configure --pending',
  ]);
  expect(asked[0]?.env).toMatchObject({ DEBIAN_FRONTEND: 'noninteractive' });
});

test('an upgrade that does not succeed on the bench leaves the disk as it is', async () => {
  const changes = { 'var/lib/dpkg/status': halfDone, 'var/lib/dpkg/info/tool.list': '/.\n' };
  const plan = await planOf('userland.dpkg-configure', changes, { tools: benchOf([], 1) });
  expect(plan).toContain('no such luck');
});

test('a package that has to be unpacked again needs its archive', async () => {
  const changes = {
    'var/lib/dpkg/status': halfDone.replace('half-configured', 'half-installed'),
    'var/lib/dpkg/info/tool.list': '/.\n',
  };
  expect(await planOf('userland.dpkg-configure', changes)).toContain('tool_1%3a2-3_all.deb');
});

test('the list of packages comes from the copy that dpkg keeps', async () => {
  const changes = {
    'var/lib/dpkg/status': '',
    'var/lib/dpkg/status-old': halfDone,
    'var/lib/dpkg/info/tool.list': '/.\n',
  };
  expect(await planOf('userland.dpkg-status', changes)).toEqual([
    `write /var/lib/dpkg/status: ${halfDone}`.slice(0, 148),
  ]);
});

const unit = 'etc/systemd/system/agent.service';
const pulledIn = {
  'etc/systemd/system/multi-user.target.wants/agent.service': { link: '../agent.service' },
};

test('of a drop-in only what systemd refuses becomes a comment', async () => {
  const drop = 'etc/systemd/system/systemd-udevd.service.d/own.conf';
  const unit = { 'usr/lib/systemd/system/systemd-udevd.service': '[Service]\nExecStart=/bin/a\n' };
  const wants = 'usr/lib/systemd/system/graphical.target.wants/systemd-udevd.service';
  const planned = (text: string) =>
    planOf('userland.unit-file', {
      ...{ ...unit, [wants]: { link: '../systemd-udevd.service' } },
      [drop]: text,
    });
  expect(await planned('[Service]\nNice=5\nExecStart=/bin/a -v\n')).toEqual([
    `write /${drop}: [Service]\nNice=5\n#ExecStart=/bin/a -v\n`,
  ]);
  const oneshot = '[Service]\nType=oneshot\nRestart=always\nNice=5\n';
  expect(await planned(oneshot)).toEqual([
    `write /${drop}: ${oneshot.replace('Restart', '#Restart')}`,
  ]);
});

test('one library that several findings name is restored once', async () => {
  const path = 'usr/lib/libx.so.1';
  const image = makeDynamicElf({ soname: 'libx.so.1' });
  const needing = { program: makeDynamicElf({ needed: ['libx.so.1'] }) };
  const md5 = createHash('md5').update(image).digest('hex');
  const changes: Changes = {
    [`${path}.orig`]: { program: image },
    [path]: { program: '' },
    'usr/bin/sh': needing,
    'usr/sbin/sshd': needing,
    'var/lib/dpkg/info/libx.list': `/${path}\n`,
    'var/lib/dpkg/info/libx.md5sums': `${md5}  ${path}\n`,
  };
  await using tree = await makeTree(
    Object.fromEntries(
      Object.entries({ ...smallDebian, ...changes }).filter(
        (pair): pair is [string, TreeEntry] => pair[1] !== null,
      ),
    ),
  );
  const subject = await subjectOf(tree.root);
  const found = (await Promise.all(userlandChecks.map((check) => check.run(subject)))).flat();
  const one = found.find(({ id }) => id === 'userland.library');
  if (one === undefined) throw new Error('the library was not found');
  const repair = userlandRepairs.find(({ id }) => id === 'userland.restore-file');
  const both = [one, { ...one, id: 'access.sshd-program' }];
  const plan = await repair?.plan(subject, both, benchOf([]));
  expect(plan).toMatchObject({ kind: 'changes', changes: [{ kind: 'write-file' }] });
});

test('a unit that never finishes is disabled and not removed', async () => {
  const text = '[Service]\nType=oneshot\nExecStart=/bin/sleep infinity\n';
  const graphical = {
    'usr/lib/systemd/system/graphical.target': '[Unit]\nRequires=multi-user.target\n',
  };
  expect(
    await planOf('userland.unit-disable', { ...graphical, ...pulledIn, [unit]: text }),
  ).toEqual(['remove /etc/systemd/system/multi-user.target.wants/agent.service']);
});

test('the one name that closes a cycle is taken out of its line', async () => {
  const changes = {
    'usr/lib/systemd/system/graphical.target': '[Unit]\nRequires=multi-user.target\n',
    'usr/lib/systemd/system/multi-user.target': '[Unit]\nRequires=sysinit.target\n',
    'usr/lib/systemd/system/sysinit.target': '[Unit]\n',
    ...pulledIn,
    [unit]: '[Unit]\nBefore=network.target sysinit.target\n[Service]\nExecStart=/bin/sh\n',
  };
  expect(await planOf('userland.break-cycle', changes)).toEqual([
    `write /${unit}: [Unit]\nBefore=network.target\n[Service]\nExecStart=/bin/sh\n`,
  ]);
});

const inittab = 'id:6:initdefault:\nsi::sysinit:/etc/init.d/rcS\n1:2:respawn:/sbin/getty tty1\n';
const sysvinit: Changes = {
  'usr/sbin/init': { program: Buffer.concat([makeDynamicElf(), Buffer.from('/etc/inittab')]) },
  'etc/init.d/rc': { program: '#!/bin/sh\n' },
  'etc/init.d/rcS': { program: '#!/bin/sh\n' },
  'usr/share/sysvinit/inittab': inittab.replace('6', '2'),
};

test('a default runlevel that restarts is set to the one of the package', async () => {
  expect(await planOf('userland.inittab', { ...sysvinit, 'etc/inittab': inittab })).toEqual([
    `write /etc/inittab: ${inittab.replace('6', '2')}`,
  ]);
});

test('a missing inittab is the one that the package keeps', async () => {
  expect(await planOf('userland.inittab', sysvinit)).toEqual([
    `write /etc/inittab: ${inittab.replace('6', '2')}`,
  ]);
});

test('a mode is set only where it is wrong', async () => {
  expect(
    await planOf('userland.known-modes', {}, { modes: { tmp: 0o755, 'var/tmp': 0o1777 } }),
  ).toContain('attributes /tmp 1777');
});
