import type { GuestUnit } from './guest-report.ts';

/** One kind of failure that a container brings about and the machine would not. */
type ExpectedFailure = {
  /** Units that fail so; matched against the whole name. */
  readonly unit: RegExp;
  /** What the failure says, in a line of the unit's journal. Only then it is this failure. */
  readonly says: RegExp;
  /** Follows from the expected failure of this other unit, without saying so. */
  readonly after?: string;
  readonly reason: string;
};

const noNetwork = 'the container has no network';
const otherKernel = "the rescue host's kernel, on which the container runs, lacks what it needs";
const noDevices = "the container has none of the machine's devices";
const hostsOwn = "it wants to change what belongs to the rescue host's kernel";

/**
 * Failures that say nothing about the machine. A row matches by the unit's name AND by what its
 * journal says, so that a fault in the same unit's configuration is still seen as one.
 *
 * Found by booting Debian 11 to 13, and sid, with some hundred packages each. Most units that make no sense in
 * a container leave themselves out (ConditionVirtualization=, ConditionCapability=,
 * ConditionPathIsReadWrite=) and need no row.
 */
const expectedFailures: readonly ExpectedFailure[] = [
  {
    unit: /.+/,
    says: /modprobe: FATAL: Module \S+ not found in directory \/lib\/modules\//,
    reason: otherKernel,
  },
  { unit: /.+\.mount/, says: /unknown filesystem type/, reason: otherKernel },
  {
    unit: /.+\.(mount|swap|automount)/,
    says: /special device \/dev\/\S+ does not exist|\/dev\/\S+: Can't lookup blockdev/,
    reason: noDevices,
  },
  {
    unit: /(auditd|audit-rules)\.service/,
    says: /audit support not in kernel|Cannot open netlink audit socket|Unable to set audit pid|Cannot daemonize/,
    reason: hostsOwn,
  },
  {
    unit: /multipathd\.service/,
    says: /\/dev\/mapper\/control|kernel device-mapper driver|cannot get kernel dm version/,
    reason: noDevices,
  },
  {
    unit: /(networking|ifup@.+)\.service/,
    says: /Cannot find device "|Failed to get interface index: No such device|Network is unreachable/,
    reason: noNetwork,
  },
  {
    unit: /openipmi\.service/,
    says: /could not open \/proc\/modules|could not get list of modules/,
    reason: otherKernel,
  },
  // udev's daemon leaves itself out in a container: nobody answers who tells it of the devices.
  { unit: /.+\.service/, says: /udevadm\[\d+\]: Failed to connect to udev\b/, reason: noDevices },
  // GRUB looks for the disk below its directory; here the root is a layer over it.
  {
    unit: /grub2?-common\.service/,
    says: /grub-editenv: error: failed to get canonical path of/,
    reason: noDevices,
  },
  { unit: /gpm\.service/, says: /Could not open \/dev\/input\//, reason: noDevices },
  { unit: /usbguard\.service/, says: /\/sys\/bus\/usb\/devices: No such file/, reason: noDevices },
  {
    unit: /usbguard-dbus\.service/,
    says: /Start request repeated too quickly/,
    after: 'usbguard.service',
    reason: noDevices,
  },
  // They say why in a log of their own: there is no graphics card and no terminal to draw on.
  {
    unit: /(lightdm|gdm|gdm3|sddm|lxdm|xdm)\.service/,
    says: /Failed with result/,
    reason: noDevices,
  },
];

const isMeant = (row: ExpectedFailure, { unit, journal }: GuestUnit): boolean =>
  row.unit.exec(unit)?.[0] === unit && journal.some((line) => row.says.test(line));

/**
 * Why a failure is one of the container and not of the machine; null when it is a real one.
 *
 * @param others all failed units of the same boot.
 */
export const expectedInContainer = (
  failed: GuestUnit,
  others: readonly GuestUnit[],
): string | null => {
  const row = expectedFailures.find((one) => isMeant(one, failed));
  if (row === undefined) return null;
  if (row.after === undefined) return row.reason;
  const cause = others.find(({ unit }) => unit === row.after);
  return cause === undefined || cause === failed ? null : expectedInContainer(cause, others);
};
