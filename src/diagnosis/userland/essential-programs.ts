import type { SystemFacts } from '../../system-image/system-facts.ts';
import type { Subject } from '../subject.ts';

export type EssentialProgram = {
  readonly name: string;
  /** Where it may be; the first one that is there counts. */
  readonly paths: readonly string[];
  readonly severity: 'critical' | 'warning';
  /** What happens at boot without it. */
  readonly effect: string;
  /** Debian packages that bring it: it is missing only where one of them is installed. Empty: always. */
  readonly packages: readonly string[];
};

const program = (
  name: string,
  paths: string,
  severity: EssentialProgram['severity'],
  packages: string,
  effect: string,
): EssentialProgram => ({
  name,
  paths: paths.split(' '),
  severity,
  packages: packages.split(' ').filter((one) => one !== ''),
  effect,
});

const noInit = 'The kernel panics: "No working init found" or "Attempted to kill init!".';
const noShell = 'Scripts of the boot fail, and nobody gets a shell.';
const noMount = 'File systems are not mounted: the boot ends in emergency mode.';
const noUdev = 'Devices do not appear: mounts by UUID and the network time out.';
const noLogin = 'Nobody can log in on a console.';

const common: readonly EssentialProgram[] = [
  program('sh', '/bin/sh /usr/bin/sh', 'critical', '', noShell),
  program(
    'bash',
    '/bin/bash /usr/bin/bash',
    'warning',
    'bash',
    'Nobody whose shell it is can log in.',
  ),
  program('mount', '/bin/mount /usr/bin/mount', 'critical', 'mount', noMount),
  program('login', '/bin/login /usr/bin/login', 'warning', 'login', noLogin),
  program('agetty', '/sbin/agetty /usr/sbin/agetty', 'warning', 'util-linux', noLogin),
  program(
    'sulogin',
    '/sbin/sulogin /usr/sbin/sulogin',
    'warning',
    'util-linux sysvinit-utils',
    'There is no emergency shell.',
  ),
  program(
    'fsck',
    '/sbin/fsck /usr/sbin/fsck',
    'warning',
    'util-linux',
    'File systems are not checked at boot.',
  ),
  program(
    'modprobe',
    '/sbin/modprobe /usr/sbin/modprobe',
    'warning',
    'kmod',
    'No kernel module is loaded.',
  ),
];

const systemd = '/usr/lib/systemd /lib/systemd';
const inSystemd = (name: string): string =>
  systemd
    .split(' ')
    .map((directory) => `${directory}/${name}`)
    .join(' ');

const ofSystemd: readonly EssentialProgram[] = [
  program('systemd', inSystemd('systemd'), 'critical', 'systemd', noInit),
  program(
    'systemd-executor',
    inSystemd('systemd-executor'),
    'critical',
    'systemd',
    'systemd cannot start any service and freezes.',
  ),
  program(
    'systemd-journald',
    inSystemd('systemd-journald'),
    'warning',
    'systemd',
    'Nothing is logged, and services that write to the journal fail.',
  ),
  program(
    'systemd-udevd',
    `/lib/systemd/systemd-udevd ${inSystemd('systemd-udevd')}`,
    'critical',
    'udev',
    noUdev,
  ),
  program('udevadm', '/bin/udevadm /usr/bin/udevadm', 'critical', 'udev', noUdev),
  program(
    'systemd-logind',
    inSystemd('systemd-logind'),
    'warning',
    'systemd',
    'Logins take long or fail.',
  ),
  program(
    'systemctl',
    '/bin/systemctl /usr/bin/systemctl',
    'warning',
    'systemd',
    'Services cannot be managed; shutdown and rescue mode fail.',
  ),
  program(
    'systemd-shutdown',
    inSystemd('systemd-shutdown'),
    'warning',
    'systemd',
    'The machine cannot be shut down in order.',
  ),
  program(
    'systemd-sulogin-shell',
    inSystemd('systemd-sulogin-shell'),
    'warning',
    'systemd',
    'There is no rescue shell.',
  ),
  program(
    'systemd-remount-fs',
    inSystemd('systemd-remount-fs'),
    'warning',
    'systemd',
    'The root may stay read-only.',
  ),
  program(
    'systemd-tmpfiles',
    '/bin/systemd-tmpfiles /usr/bin/systemd-tmpfiles',
    'warning',
    'systemd',
    'Directories that services expect in /run are not made.',
  ),
  program(
    'dbus-daemon',
    '/usr/bin/dbus-daemon',
    'critical',
    'dbus-daemon dbus',
    'Nothing answers on the system bus: logind, NetworkManager and others fail.',
  ),
];

const ofSysvinit: readonly EssentialProgram[] = [
  program('rc', '/etc/init.d/rc /lib/init/rc', 'critical', 'sysv-rc', 'No service is started.'),
  program(
    'rcS',
    '/etc/init.d/rcS',
    'critical',
    'initscripts sysv-rc',
    'The boot scripts do not run.',
  ),
  program(
    'startpar',
    '/bin/startpar /lib/startpar/startpar',
    'critical',
    'startpar',
    'No service is started.',
  ),
];

/** What a system of this kind runs at every boot and login. */
export const essentialPrograms = (facts: SystemFacts): readonly EssentialProgram[] => [
  ...(facts.initPath === null ? [] : [program('init', facts.initPath, 'critical', '', noInit)]),
  ...common,
  ...(facts.init === 'systemd' ? ofSystemd : []),
  ...(facts.init === 'sysvinit' ? ofSysvinit : []),
];

/** Debian's package files are named with the architecture where several can be installed at once. */
const listOf = async (subject: Subject, name: string): Promise<readonly string[]> => {
  const { files, facts } = subject;
  const architectures: Readonly<Record<string, string>> = {
    x86_64: 'amd64',
    aarch64: 'arm64',
    i686: 'i386',
    armv7l: 'armhf',
  };
  const suffixes = ['', `:${architectures[facts.architecture ?? ''] ?? 'amd64'}`];
  const texts = await Promise.all(
    suffixes.map((suffix) => files.read(`/var/lib/dpkg/info/${name}${suffix}.list`)),
  );
  return texts.flatMap((text) => (text ?? '').split('\n'));
};

/** Whether the system should have the program: a package says so, or nothing boots without it. */
export const isExpected = async (
  subject: Subject,
  { paths, packages }: Pick<EssentialProgram, 'paths' | 'packages'>,
): Promise<boolean> => {
  if (packages.length === 0) return true;
  const lists = await Promise.all(packages.map((name) => listOf(subject, name)));
  return lists.flat().some((path) => paths.includes(path));
};
