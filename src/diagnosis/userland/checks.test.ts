import { chmod } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { smallDebian } from '../../../fixtures/small-debian.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { FileStatus } from '../../host/files.ts';
import type { Inside } from '../../system-image/inside.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import type { Check } from '../check.ts';
import type { Subject } from '../subject.ts';
import { userlandChecks } from './checks.ts';
import { immutableCheck, parseLsattr } from './immutable.ts';
import { parsePreload, withoutPreloads } from './preload-file.ts';

/** Whoever runs the tests owns the tree; a system belongs to root. */
const ownedByRoot = (files: SystemFiles): SystemFiles => {
  const mine = <T extends FileStatus>(status: T): T => ({ ...status, uid: 0, gid: 0 });
  const at = (found: Inside | null) =>
    found === null ? null : { ...found, status: mine(found.status) };
  return {
    ...files,
    entry: async (path) => at(await files.entry(path)),
    locate: async (path) => at(await files.locate(path)),
    status: async (path) => {
      const status = await files.status(path);
      return status === null ? null : mine(status);
    },
  };
};

type Changes = Readonly<Record<string, TreeEntry | null>>;

const modes: Readonly<Record<string, number>> = { tmp: 0o1777, 'var/tmp': 0o1777, root: 0o700 };

/** What the checks say of the small Debian with some of its entries different or gone. */
const findingsOf = async (
  changes: Changes,
  chmods: Readonly<Record<string, number>> = {},
  more: Partial<Subject> = {},
) => {
  const all = Object.entries({ ...smallDebian, ...changes });
  await using tree = await makeTree(
    Object.fromEntries(all.filter((pair): pair is [string, TreeEntry] => pair[1] !== null)),
  );
  for (const [path, mode] of Object.entries({ ...modes, ...chmods })) {
    const made = changes[path];
    const isLink = typeof made === 'object' && made !== null && 'link' in made;
    if (made !== null && !isLink) await chmod(`${tree.root}/${path}`, mode);
  }
  const subject = await subjectOf(tree.root, {}, more);
  const rooted = { ...subject, files: ownedByRoot(subject.files) };
  const run = (check: Check) => check.run(rooted);
  const found = (await Promise.all(userlandChecks.map(run))).flat();
  return found.map(({ id, severity, subject: about }) => `${severity} ${id} ${about}`);
};

test('a healthy small Debian gives no finding', async () => {
  expect(await findingsOf({})).toEqual([]);
});

test('an empty machine id is that of an image and no fault', async () => {
  expect(await findingsOf({ 'etc/machine-id': '' })).toEqual([]);
  expect(await findingsOf({ 'etc/machine-id': 'uninitialized\n' })).toEqual([]);
});

const kernel = { 'lib/modules/6.1.0-30-amd64/modules.dep': 'x' } as const;
const remountFs = 'etc/systemd/system/systemd-remount-fs.service';
const menu = (options: string): Changes => ({
  'boot/grub/grub.cfg': `menuentry 'a' {\n linux /vmlinuz root=UUID=r ${options}\n}\n`,
});

test.each<readonly [Changes, readonly string[]]>([
  [{ sbin: null }, ['critical userland.missing-link /sbin']],
  [{ lib: { link: 'usr/gone' } }, ['critical userland.missing-link /lib']],
  [{ proc: null }, ['critical userland.missing-directory /proc']],
  [{ 'var/log': null }, ['warning userland.missing-directory /var/log']],
  [{ 'usr/sbin/init': null }, ['critical userland.init-missing /sbin/init']],
  [{ 'usr/sbin/init': { link: '/gone' } }, ['critical userland.init-missing /sbin/init']],
  [
    // A shell that was left on the command line is no init, and neither is what is not there.
    {
      'usr/sbin/init': null,
      'etc/default/grub': 'GRUB_CMDLINE_LINUX="init=/bin/sh init=/usr/lib/gone"\n',
    },
    ['critical userland.init-missing /sbin/init'],
  ],
  [{ 'usr/bin/sh': null }, ['critical userland.program /bin/sh']],
  [{ 'usr/bin/sh': { program: '' } }, ['critical userland.program /usr/bin/sh']],
  [{ 'usr/bin/mount': { program: '\0\0\0\0' } }, ['critical userland.program /usr/bin/mount']],
  [{ 'etc/machine-id': null }, ['warning userland.machine-id-missing /etc/machine-id']],
  [{ 'etc/machine-id': 'x' }, ['warning userland.machine-id-invalid /etc/machine-id']],
  [{ 'etc/passwd': null }, ['critical userland.accounts /etc/passwd']],
  [{ 'etc/group': '' }, ['critical userland.accounts /etc/group']],
  [{ 'etc/shadow': 'daemon:*:1:0:99999:7:::\n' }, ['critical userland.accounts /etc/shadow']],
  [
    { 'etc/systemd/system/default.target': { link: '/nowhere' } },
    ['critical userland.default-target default.target'],
  ],
  [
    { 'etc/systemd/system/default.target': { link: '/lib/systemd/system/poweroff.target' } },
    ['critical userland.default-target default.target'],
  ],
  [
    { 'usr/lib/systemd/system/default.target': null },
    ['critical userland.default-target default.target'],
  ],
  [
    { 'etc/systemd/system/basic.target': { link: '/dev/null' } },
    ['critical userland.masked-unit basic.target'],
  ],
  [
    { 'etc/systemd/system/systemd-udevd.service': '', ...kernel },
    ['critical userland.masked-unit systemd-udevd.service'],
  ],
  [
    // A container's root.
    { 'etc/systemd/system/systemd-udevd.service': '' },
    ['info userland.masked-unit systemd-udevd.service'],
  ],
  [
    { [remountFs]: { link: '/dev/null' }, ...kernel, ...menu('quiet ro') },
    ['critical userland.masked-unit systemd-remount-fs.service'],
  ],
  [
    { [remountFs]: { link: '/dev/null' }, ...kernel, ...menu('rw quiet') },
    ['info userland.masked-unit systemd-remount-fs.service'],
  ],
])('with %o it says %o', async (changes, expected) => {
  expect(await findingsOf(changes)).toEqual(expected);
});

test.each<readonly [Readonly<Record<string, number>>, readonly string[]]>([
  [{ '.': 0o700 }, ['critical userland.directory-mode /']],
  [{ etc: 0o777 }, ['warning userland.directory-mode /etc']],
  [{ tmp: 0o755 }, ['warning userland.tmp-mode /tmp']],
])('with the modes %o it says %o', async (chmods, expected) => {
  expect(await findingsOf({}, chmods)).toEqual(expected);
});

test('modes that are wrong in many places are one finding', async () => {
  const all = ['.', 'etc', 'usr', 'usr/bin', 'usr/lib', 'var', 'etc/passwd', 'etc/shadow'];
  const open = Object.fromEntries(all.map((path) => [path, 0o777]));
  expect(await findingsOf({}, open)).toEqual(['critical userland.mass-modes /']);
});

test('a preloaded object that is missing only makes programs complain', async () => {
  expect(await findingsOf({ 'etc/ld.so.preload': '# agent\n/usr/lib/agent.so\n' })).toEqual([
    'warning userland.preload-missing /usr/lib/agent.so',
  ]);
});

test('one object leaves /etc/ld.so.preload and all other bytes of it stay', () => {
  const text = '# agents: two\n\n/a.so:/b.so # both\n/a.so\n  /c.so\n';
  expect(parsePreload(text).map(({ name }) => name)).toEqual(['/a.so', '/b.so', '/a.so', '/c.so']);
  expect(withoutPreloads(text, ['/a.so'])).toBe('# agents: two\n\n/b.so # both\n  /c.so\n');
});

test('taking out an object is done after once, and never takes another one', () => {
  const name = fc.stringMatching(/^\/[a-z]{1,3}$/);
  const text = fc.array(fc.constantFrom('/a', '/b', ' ', ':', '\n', '# /a', '#'), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(text, name, (parts, gone) => {
      const before = parts.join('');
      const after = withoutPreloads(before, [gone]);
      const names = parsePreload(before).map((entry) => entry.name);
      expect(parsePreload(after).map((entry) => entry.name)).toEqual(
        names.filter((one) => one !== gone),
      );
      expect(withoutPreloads(after, [gone])).toBe(after);
    }),
  );
});

test('links of an OSTree deployment lead somewhere only when it runs', async () => {
  const changes: Changes = {
    ...{ tmp: { link: 'sysroot/tmp' }, root: { link: 'var/roothome' } },
    ...{ 'var/tmp': null, 'var/log': null, 'var/lib/dpkg/status': null },
    ...{ var: { directory: true }, sysroot: { directory: true } },
  };
  const deployment = `ostree/deploy/fedora/deploy/${'0'.repeat(64)}.0`;
  expect(await findingsOf(changes, {}, { deployment })).toEqual([]);
  expect(await findingsOf(changes)).toContain('warning userland.missing-directory /tmp');
  // What it needs all the same is still found.
  expect(await findingsOf({ ...changes, proc: null }, {}, { deployment })).toEqual([
    'critical userland.missing-directory /proc',
  ]);
});

const usrGone: Changes = {
  ...Object.fromEntries(
    Object.keys(smallDebian)
      .filter((path) => path.startsWith('usr/'))
      .map((path) => [path, null]),
  ),
  usr: { directory: true },
  'etc/os-release': 'ID=flatcar\n',
};
const linksLost = ['/bin', '/lib', '/sbin'].map((path) => `critical userland.missing-link ${path}`);

test('an empty /usr that the initramfs mounts is worth knowing', async () => {
  const type = '5DFBF5F4-2848-4BAC-AA5E-0D9A20B745A6';
  const root = makePartition('/dev/vdb9', 9, { fsType: 'ext4' });
  const usr = makePartition('/dev/vdb3', 3, {
    partition: { number: 3, startBytes: 2 ** 21, uuid: null, label: 'USR-A', type },
  });
  const disk = makeDevice('/dev/vdb', { partitionTable: 'gpt', children: [usr, root] });
  const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };
  const known = ['info userland.missing-directory /usr'];
  const links = (found: readonly string[]) => found.filter((one) => /missing-/.test(one));
  expect(links(await findingsOf(usrGone, {}, { devices }))).toEqual(known);
  const words = menu('mount.usr=PARTUUID=7130c94a-213a-4e5a-8e26-6cce9662f132 rootflags=rw');
  expect(links(await findingsOf({ ...usrGone, ...words }))).toEqual(known);
});

test('an empty /usr without any sign of another one is a system without its programs', async () => {
  expect(await findingsOf(usrGone)).toEqual(expect.arrayContaining(linksLost));
  expect(await findingsOf({ ...usrGone, ...menu('ro quiet') })).toEqual(
    expect.arrayContaining(linksLost),
  );
});

test('file flags are read from the output of lsattr', () => {
  const output =
    '----i---------e------- /mnt/etc/a b\n-----a--------e------- /mnt/x\n--------------e------- /mnt/y\n';
  expect([...parseLsattr(output)]).toEqual([
    ['/mnt/etc/a b', ['immutable']],
    ['/mnt/x', ['append-only']],
  ]);
});

test('a flag on what people protect on purpose is worth knowing, on what upgrades write a warning', async () => {
  await using tree = await makeTree({ ...smallDebian, 'var/log/syslog': 'x' });
  const subject = await subjectOf(tree.root);
  const flags: Readonly<Record<string, string>> = {
    ...{ '': '----i---------e-------', '/etc/passwd': '----i---------e-------' },
    ...{ '/var/log': '-----a--------e-------', '/etc': '-----a--------e-------' },
  };
  const stdout = Object.entries(flags)
    .map(([path, letters]) => `${letters} ${tree.root}${path}`)
    .join('\n');
  const run: typeof subject.host.run = async () => ({
    ...{ exitCode: 1, stdout, stderr: '', milliseconds: 1 },
  });
  const found = await immutableCheck.run({ ...subject, host: { ...subject.host, run } });
  expect(found.map(({ severity, subject: path }) => `${severity} ${path}`)).toEqual([
    'warning /',
    'info /etc/passwd',
    'info /var/log',
    'warning /etc',
  ]);
  expect(new Set(found.map(({ repair }) => repair))).toEqual(new Set(['userland.clear-flags']));
  // OSTree keeps the root of a deployment so.
  const deployed = { ...subject, deployment: 'ostree/deploy/x', host: { ...subject.host, run } };
  const rest = await immutableCheck.run(deployed);
  expect(rest.map(({ subject: path }) => path)).toEqual(['/etc/passwd', '/var/log', '/etc']);
});
