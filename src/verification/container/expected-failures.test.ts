import { describe, expect, it } from 'vitest';
import { expectedInContainer } from './expected-failures.ts';

const failed = (unit: string, ...journal: readonly string[]) => ({
  ...{ unit, description: '', result: 'exit-code', failedAt: 1, journal },
});

const reasonFor = (unit: string, line: string): string | null => {
  const one = failed(unit, `[ 9.1] x[1]: ${line}`);
  return expectedInContainer(one, [one]);
};

/** Lines of real boots in a container. */
describe('a failure of any container', () => {
  it.each([
    ['zramswap.service', 'modprobe: FATAL: Module zram not found in directory /lib/modules/6.1'],
    ['proc-fs-nfsd.mount', "mount: /proc/fs/nfsd: unknown filesystem type 'nfsd'."],
    ['srv.mount', 'mount: /srv: special device /dev/disk/by-uuid/1 does not exist.'],
    ['srv.mount', "mount: /srv: fsconfig() failed: /dev/disk/by-uuid/1: Can't lookup blockdev."],
    ['auditd.service', 'Error - audit support not in kernel'],
    ['auditd.service', 'Cannot daemonize (No child processes)'],
    ['multipathd.service', '/dev/mapper/control: mknod failed: Operation not permitted'],
    ['networking.service', 'Cannot find device "ens3"'],
    ['networking.service', 'Failed to get interface index: No such device'],
    ['openipmi.service', 'Error: could not get list of modules: No such file or directory'],
    ['grub2-common.service', "grub-editenv: error: failed to get canonical path of `overlay'."],
    ['gpm.service', 'Could not open /dev/input/mice.'],
    ['usbguard.service', 'loadFiles: /sys/bus/usb/devices: No such file or directory'],
    ['lightdm.service', "lightdm.service: Failed with result 'exit-code'."],
  ])('%s: %s', (unit, line) => {
    expect(reasonFor(unit, line)).not.toBeNull();
  });
});

it('is one of any container when there is no udev to be told of the devices', () => {
  const said =
    '[ 9.1] udevadm[43]: Failed to connect to udev via varlink: No such file or directory';
  const configure = failed('netplan-configure.service', said);
  expect(expectedInContainer(configure, [configure])).not.toBeNull();
});

describe('a failure of the machine', () => {
  it.each([
    ['networking.service', 'ifup: /etc/network/interfaces:4: unknown or no address type'],
    ['auditd.service', 'Error parsing auditd.conf line 12'],
    ['grub2-common.service', 'grub-editenv: error: invalid environment block.'],
    ['srv.mount', 'mount: /srv: wrong fs type, bad option, bad superblock on tmpfs'],
    ['named.service', "named: user 'bind' unknown"],
    ['dnsmasq.service', 'failed to create listening socket for port 53: Address already in use'],
    // The name must be the whole name.
    ['my-networking.service', 'Cannot find device "ens3"'],
  ])('%s: %s', (unit, line) => {
    expect(reasonFor(unit, line)).toBeNull();
  });

  it('is one that only follows from another, when that other is one', () => {
    const follower = failed('usbguard-dbus.service', 'Start request repeated too quickly.');
    const expected = failed('usbguard.service', '/sys/bus/usb/devices: No such file or directory');
    const real = failed('usbguard.service', 'rules.conf: syntax error');
    expect(expectedInContainer(follower, [expected, follower])).not.toBeNull();
    expect(expectedInContainer(follower, [real, follower])).toBeNull();
    expect(expectedInContainer(follower, [follower])).toBeNull();
  });
});
