import { findUnit, type UnitEntry } from '../../system-image/systemd-units.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import { isWritable, startsByItself } from '../fstab/root-needs-table.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

type Essential = {
  readonly name: string;
  readonly severity: Finding['severity'];
  readonly meaning: string;
};

const noBoot = 'systemd cannot start its default target and stops, or ends in rescue mode.';
const critical = (name: string, meaning: string): Essential => ({
  name,
  severity: 'critical',
  meaning,
});
const warning = (name: string, meaning: string): Essential => ({
  name,
  severity: 'warning',
  meaning,
});

const essentials: readonly Essential[] = [
  critical('sysinit.target', noBoot),
  critical('basic.target', noBoot),
  critical('multi-user.target', noBoot),
  critical(
    'local-fs.target',
    'The file systems of fstab are not mounted before the services start.',
  ),
  critical(
    'sockets.target',
    'Services that wait on a socket, D-Bus and udev among them, are not reached.',
  ),
  critical('slices.target', noBoot),
  critical(
    'systemd-udevd.service',
    'No device appears: file systems named by UUID and the network wait until they time out.',
  ),
  critical(
    'systemd-udev-trigger.service',
    'Devices that were there before udev are never announced, and mounts time out.',
  ),
  critical('systemd-remount-fs.service', 'The root stays read-only when the kernel mounted it so.'),
  critical('systemd-user-sessions.service', 'Logins stay closed for everybody but root.'),
  critical(
    'systemd-journald.service',
    'Services that write to the journal cannot start or are not heard.',
  ),
  critical(
    'systemd-journald.socket',
    'Services that write to the journal cannot start or are not heard.',
  ),
  critical(
    'dbus.service',
    'Nothing answers on the system bus: logind, NetworkManager and networkctl do not work.',
  ),
  critical('dbus.socket', 'Nothing answers on the system bus: D-Bus itself and logind fail.'),
  warning('dbus-broker.service', 'Nothing answers on the system bus where it is the one in use.'),
  warning(
    'systemd-tmpfiles-setup.service',
    'Directories that services expect in /run are not made.',
  ),
  warning(
    'systemd-tmpfiles-setup-dev.service',
    'Device nodes that drivers do not make themselves are missing.',
  ),
  warning(
    'systemd-logind.service',
    'Logins take long or fail, and seats and power buttons are not looked after.',
  ),
  warning('getty.target', 'No console shows a login.'),
  warning('getty@tty1.service', 'The first console shows no login.'),
  warning('timers.target', 'No timer runs: log rotation and certificate renewal stop.'),
  warning('paths.target', 'Services that wait for a path are not started.'),
  warning('rescue.target', 'There is no single-user mode to fall back to.'),
  warning('emergency.target', 'There is no emergency shell to fall back to.'),
];

/** What is known of a unit that every boot needs; undefined for all others. */
export const essentialUnit = (name: string): Essential | undefined =>
  essentials.find((essential) => essential.name === name);

/** The name alone tells a mask of somebody from an image that leaves the unit out on purpose. */
const findingOf = (essential: Essential, entry: UnitEntry): Finding => ({
  id: 'userland.masked-unit',
  severity: essential.severity,
  title: `${essential.name} is masked`,
  subject: essential.name,
  evidence: [
    atFile(
      entry.path,
      entry.to === null ? 'is an empty file, which masks it' : `is a link to ${entry.to}`,
    ),
  ],
  meaning: essential.meaning,
  repair: 'userland.unmask',
});

/** A container has no devices of its own, and no console but the one that it is given. */
const needless = new Set([
  ...['systemd-udevd.service', 'systemd-udev-trigger.service', 'systemd-remount-fs.service'],
  ...['systemd-tmpfiles-setup-dev.service', 'getty.target', 'getty@tty1.service'],
]);

const isMountedWritable = async (subject: Subject): Promise<boolean> => {
  const entries = await bootEntriesOf(subject);
  return entries.length > 0 && entries.every(({ options }) => isWritable(options));
};

/** How bad it is on this system: what is right for it is only worth knowing. */
const judged = async (subject: Subject, essential: Essential): Promise<Essential> => {
  if (!needless.has(essential.name)) return essential;
  if (!(await startsByItself(subject))) {
    const meaning = 'Right for a container; a machine of its own needs it.';
    return { ...essential, severity: 'info', meaning };
  }
  const remounts = essential.name === 'systemd-remount-fs.service';
  if (!remounts || !(await isMountedWritable(subject))) return essential;
  const meaning =
    'The kernel is told to mount the root writable; only its options in fstab are not applied.';
  return { ...essential, severity: 'info', meaning };
};

const look = async (subject: Subject, essential: Essential): Promise<Finding | null> => {
  const entry = await findUnit(subject.files, essential.name);
  return entry?.state === 'masked' ? findingOf(await judged(subject, essential), entry) : null;
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  if (subject.facts.init !== 'systemd') return [];
  const found = await Promise.all(essentials.map((essential) => look(subject, essential)));
  return found.filter((finding) => finding !== null);
};

/** Units without which systemd does not get to a login, masked by hand or emptied by a power cut. */
export const maskedUnitsCheck: Check = { area: 'userland', finds: ['userland.masked-unit'], run };
