import { expect, test } from 'vitest';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { answering, subjectOf } from '../../../fixtures/subject.ts';
import type { SystemFacts } from '../../system-image/system-facts.ts';
import type { Check } from '../check.ts';
import type { Subject } from '../subject.ts';
import { dpkgStateCheck } from './dpkg-state.ts';
import { endingLine } from './login-scripts.ts';
import { looseModesCheck } from './loose-modes.ts';
import { nsswitchCheck } from './nsswitch.ts';
import { otherPackagesCheck } from './other-packages.ts';
import { sysvinitCheck } from './sysvinit.ts';
import { unitsCheck } from './units.ts';
import { verifyUnitsCheck } from './verify-units.ts';

const run = async (
  check: Check,
  entries: Readonly<Record<string, TreeEntry>>,
  facts: Partial<SystemFacts> = {},
  more: Partial<Subject> = {},
): Promise<readonly string[]> => {
  await using tree = await makeTree(entries);
  const found = await check.run(await subjectOf(tree.root, facts, more));
  return found.map(({ id, severity, subject }) => `${severity} ${id} ${subject}`);
};

const inittab = 'id:2:initdefault:\nsi::sysinit:/etc/init.d/rcS\n1:23:respawn:/sbin/getty tty1\n';

test.each([
  [inittab, []],
  [inittab.replace('2', '0'), ['critical userland.inittab /etc/inittab:1']],
  [inittab.replace('id:2', '#id:2'), ['critical userland.inittab /etc/inittab']],
  [inittab.replace('respawn', 'off'), ['warning userland.inittab /etc/inittab']],
  ['\0\0\0', ['critical userland.inittab /etc/inittab']],
])('of the inittab %j it says %j', async (text, expected) => {
  expect(await run(sysvinitCheck, { 'etc/inittab': text }, { init: 'sysvinit' })).toEqual(expected);
});

test('OpenRC without a single service in its runlevels starts nothing', async () => {
  const empty = { 'etc/runlevels/default': { directory: true } } as const;
  const one = { 'etc/runlevels/boot/root': { link: '/etc/init.d/root' } } as const;
  expect(await run(sysvinitCheck, empty, { init: 'openrc' })).toEqual([
    'critical userland.runlevels /etc/runlevels',
  ]);
  expect(await run(sysvinitCheck, one, { init: 'openrc' })).toEqual([]);
});

const installed = 'Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n';
const info = { 'var/lib/dpkg/info/a.list': '/.\n' };

test('the journal of dpkg stands above its status file', async () => {
  const status = 'var/lib/dpkg/status';
  const update = { 'var/lib/dpkg/updates/0001': installed.replace('installed', 'unpacked') };
  expect(await run(dpkgStateCheck, { ...info, [status]: installed })).toEqual([]);
  expect(await run(dpkgStateCheck, { ...info, [status]: installed, ...update })).toEqual([
    'warning userland.dpkg-half-done dpkg',
  ]);
  expect(await run(dpkgStateCheck, { ...info, [status]: '\0\0' })).toEqual([
    'warning userland.dpkg-status /var/lib/dpkg/status',
  ]);
  // A removed package whose configuration stayed is no half-done one.
  const kept = installed.replace('install ok installed', 'deinstall ok config-files');
  expect(await run(dpkgStateCheck, { ...info, [status]: kept })).toEqual([]);
});

test('other package managers are seen by what they leave behind', async () => {
  const tree = { 'var/lib/pacman/db.lck': '', 'var/lib/rpm/.rpm.lock': '' };
  expect(await run(otherPackagesCheck, tree)).toEqual([
    'warning userland.package-lock /var/lib/pacman/db.lck',
    'warning userland.package-database /var/lib/rpm',
  ]);
  expect(await run(otherPackagesCheck, { 'var/lib/rpm/rpmdb.sqlite': 'SQLite' })).toEqual([]);
});

test('a source of accounts beside files is no fault, and its absence is where files are missing', async () => {
  const path = 'etc/nsswitch.conf';
  expect(await run(nsswitchCheck, { [path]: 'passwd: sss files [NOTFOUND=return]\n' })).toEqual([]);
  expect(await run(nsswitchCheck, { [path]: 'shadow: sss\n' })).toEqual([
    'critical userland.nsswitch /etc/nsswitch.conf:1',
  ]);
  // musl and busybox know no such file.
  expect(await run(nsswitchCheck, {})).toEqual([]);
});

test('an exit counts only where nothing decides whether it is reached', () => {
  expect(endingLine('a=1\nexit 0\n')).toEqual({ line: 2, text: 'exit 0' });
  expect(endingLine('if [ -z "$PS1" ]; then\nexit\nfi\n')).toBeNull();
  expect(endingLine('case $- in\n*i*) ;;\n*) return;;\nesac\nfoo() {\nexit 1\n}\n')).toBeNull();
  expect(endingLine('[ -f /x ] || exit\n# exit\nif true; then false; fi\nlogout # bye')).toEqual({
    line: 4,
    text: 'logout # bye',
  });
});

test('many files that everybody may write are worth knowing', async () => {
  const names = Array.from({ length: 50 }, (_, index) => `usr/bin/tool${index}`);
  const entries = Object.fromEntries(names.map((name) => [name, 'x']));
  await using tree = await makeTree(entries);
  const subject = await subjectOf(tree.root);
  const withMode = (mode: number): Subject => ({
    ...subject,
    files: {
      ...subject.files,
      entry: async (path) => {
        const found = await subject.files.entry(path);
        return found === null ? null : { ...found, status: { ...found.status, mode, uid: 0 } };
      },
    },
  });
  expect(await looseModesCheck.run(withMode(0o755))).toEqual([]);
  expect(await looseModesCheck.run(withMode(0o777))).toMatchObject([
    { id: 'userland.loose-modes', severity: 'info' },
  ]);
});

test('systemd itself is asked only where somebody wrote units', async () => {
  const asked: string[] = [];
  const runInside = answering(({ words }) => {
    asked.push(words[0] ?? '');
    return { stderr: '/etc/systemd/system/web.service:3: Unknown key name, ignoring.\nnoise\n' };
  });
  const link = { 'etc/systemd/system/default.target': { link: '/x' } } as const;
  const own = { 'etc/systemd/system/web.service': '[Service]\n' };
  expect(await run(verifyUnitsCheck, link, { init: 'systemd' }, { runInside })).toEqual([]);
  expect(asked).toEqual([]);
  expect(await run(verifyUnitsCheck, own, { init: 'systemd' }, { runInside })).toEqual([
    'info userland.unit-warning /etc/systemd/system/web.service',
  ]);
});

test('what systemd itself refuses is found also where reading does not see why', async () => {
  const entries = {
    ...units,
    'etc/systemd/system/web.service':
      '[Service]\nPAMName=login\nKillMode=process\nExecStart=/bin/a\n',
    'etc/systemd/system/two.service': '[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n',
    'etc/systemd/system/quote.service': '[Service]\nExecStart=/bin/sh -c "x\n',
    'usr/lib/systemd/system/vendor.service': '[Service]\nExecStart=/bin/a\n',
  };
  const stderr = [
    "web.service: Service has PAM enabled. Kill mode must be set to 'control-group' or 'mixed'. Refusing.",
    'two.service: Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.',
    '/etc/systemd/system/quote.service:2: Unbalanced quoting, ignoring: "/bin/sh -c "x"',
    'quote.service: Unit configuration has fatal error, unit will not be started.',
    'vendor.service: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.',
    'web.service: Cannot add dependency job, ignoring: Unit web.service has a bad unit file setting.',
  ].join('\n');
  const runInside = answering(() => ({ exitCode: 1, stderr }));
  expect(await run(verifyUnitsCheck, entries, { init: 'systemd' }, { runInside })).toEqual([
    'warning userland.unit-broken web.service',
    'warning userland.unit-broken quote.service',
    'info userland.unit-warning /etc/systemd/system/quote.service',
  ]);
});

const units = {
  'usr/lib/systemd/system/default.target':
    '[Unit]\nRequires=sysinit.target\nWants=local-fs.target web.service\n',
  'usr/lib/systemd/system/sysinit.target': '[Unit]\n',
  'usr/lib/systemd/system/local-fs.target':
    '[Unit]\nDefaultDependencies=no\nOnFailure=emergency.target\n',
};

test.each<readonly [Readonly<Record<string, TreeEntry>>, readonly string[]]>([
  [{ 'etc/systemd/system/web.service': '[Service]\nExecStart=/gone\n' }, []],
  [
    { 'etc/systemd/system/web.service': '[Service]\nUser=www\n' },
    ['warning userland.unit-broken web.service'],
  ],
  [
    {
      'etc/systemd/system/disk.service': '[Service]\nExecStart=/gone\n',
      'etc/systemd/system/local-fs.target.requires/disk.service': { link: '../disk.service' },
    },
    ['critical userland.unit-program disk.service'],
  ],
  [
    {
      'etc/systemd/system/disk.service': '[Service]\nExecStart=-/gone\n',
      'etc/systemd/system/local-fs.target.requires/disk.service': { link: '../disk.service' },
    },
    [],
  ],
  [
    {
      'etc/systemd/system/web.service':
        '[Service]\nType=oneshot\nTimeoutStartSec=30\nExecStart=/bin/sleep infinity\n',
    },
    [],
  ],
  [
    {
      'etc/systemd/system/web.service': '[Service]\nType=oneshot\nExecStart=/bin/sleep infinity\n',
    },
    ['warning userland.unit-blocks web.service'],
  ],
  [
    {
      'usr/lib/systemd/system/web.service': '[Service]\nExecStart=/bin/web\n',
      'etc/systemd/system/web.service.d/port.conf': '[Service]\nExecStart=/bin/web -p 81\n',
    },
    ['warning userland.unit-broken web.service'],
  ],
  [
    {
      'usr/lib/systemd/system/web.service': '[Service]\nExecStart=/bin/web\n',
      'etc/systemd/system/web.service.d/port.conf':
        '[Service]\nExecStart=\nExecStart=/bin/web -p 81\n',
    },
    [],
  ],
  [
    {
      'etc/systemd/system/web.service':
        '[Service]\nType=oneshot\nExecStart=/bin/a\nExecStart=/bin/b ; /bin/c\n',
    },
    [],
  ],
  [
    { 'etc/systemd/system/web.service': '[Service]\nType=simpel\nExecStart=/bin/a ; /bin/b\n' },
    ['warning userland.unit-broken web.service'],
  ],
  [
    // What stands in quotes is the shell's, `\;` is a word, and nothing comes after the last one.
    {
      'etc/systemd/system/web.service':
        '[Service]\nExecStart=/bin/sh -c "while true ; do say \\" ; \\" ; sleep 5 ; done"\n',
      'etc/systemd/system/find.service':
        "[Service]\nExecStart=/bin/find /srv -exec /bin/say 'a ; b' {} \\; ;\n",
    },
    [],
  ],
  [
    {
      'etc/systemd/system/web.service':
        '[Service]\nExecStart=/bin/sh -c "a ; b" \\" ; /bin/say "c"\n',
    },
    ['warning userland.unit-broken web.service'],
  ],
  [
    {
      'etc/systemd/system/web.service':
        '[Service]\nType=oneshot\nRestart=always\nExecStart=/bin/a\n',
    },
    ['warning userland.unit-broken web.service'],
  ],
  [
    { 'etc/systemd/system/web.service': '[Service]\nType=dbus\nExecStart=/bin/a\n' },
    ['warning userland.unit-broken web.service'],
  ],
  [
    // A package's own contradiction is nothing that somebody wrote.
    { 'usr/lib/systemd/system/web.service': '[Service]\nType=dbus\nExecStart=/bin/a\n' },
    [],
  ],
  [
    {
      'usr/lib/systemd/system/default.target.wants/ssh.socket': { link: '../ssh.socket' },
      'usr/lib/systemd/system/ssh.socket': '[Socket]\nListenStream=22\n',
      'usr/lib/systemd/system/ssh.service': '[Service]\nExecStart=/usr/sbin/sshd -D\n',
      'etc/systemd/system/ssh.service.d/x.conf': '[Service]\nExecStart=/usr/sbin/sshd -D -4\n',
    },
    ['warning userland.unit-broken ssh.service'],
  ],
  [
    {
      'usr/lib/systemd/system/web.service':
        '[Unit]\nStartLimitAction=reboot\n[Service]\nExecStart=/bin/a\n',
      'etc/systemd/system/web.service.d/x.conf':
        '[Unit]\nFailureAction=reboot-force\nOnFailure=mail.service poweroff.target\nSuccessAction=none\n',
    },
    [
      'warning userland.unit-reboots /etc/systemd/system/web.service.d/x.conf:2',
      'warning userland.unit-reboots /etc/systemd/system/web.service.d/x.conf:3',
    ],
  ],
])('of the units %j it says %j', async (own, expected) => {
  expect(await run(unitsCheck, { ...units, ...own }, { init: 'systemd' })).toEqual(expected);
});
