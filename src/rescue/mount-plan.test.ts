import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../fixtures/device.ts';
import type { Device } from '../devices/device.ts';
import { parseFstab } from '../system-image/fstab.ts';
import { planMounts, selectOptions } from './mount-plan.ts';

const partition = (number: number, fsType: string | null, uuid: string | null): Device =>
  makePartition(`/dev/vdb${number}`, number, { fsType, uuid });

const disk = (children: readonly Device[]): Device =>
  makeDevice('/dev/vdb', { partitionTable: 'gpt', children });

const root = partition(3, 'ext4', 'aaaa');
const boot = partition(2, 'ext4', 'bbbb');
const whole = disk([partition(1, 'vfat', 'CCCC-DDDD'), boot, root]);
const place = { device: root, disk: whole, disks: [whole], subvolume: null };
const plan = (fstab: string) => planMounts(parseFstab(fstab).entries, place);

test('the root is where the system was found, whatever fstab says of it', () => {
  const [first] = plan('UUID=other / ext4 defaults 0 1\n');
  expect(first).toMatchObject({ target: '/', device: '/dev/vdb3', state: 'mount' });
});

test('shorter paths are mounted first', () => {
  const targets = plan(
    'UUID=CCCC-DDDD /boot/efi vfat umask=0077 0 1\nUUID=bbbb /boot ext4 defaults 0 2\nUUID=aaaa / ext4 defaults 0 1\n',
  ).map(({ target }) => target);
  expect(targets).toEqual(['/', '/boot', '/boot/efi']);
});

test('a data disk that is not attached is missing and does not stop the rest', () => {
  const mounts = plan('UUID=aaaa / ext4 defaults\nUUID=gone /data ext4 defaults\n');
  expect(mounts.at(-1)).toMatchObject({ target: '/data', device: null, state: 'missing' });
});

test('swap, noauto and network entries are not mounted, a noauto /boot is', () => {
  const states = plan(
    'UUID=aaaa / ext4 defaults\nUUID=bbbb /boot ext4 noauto\nserver:/x /net nfs defaults\nUUID=CCCC-DDDD /usb vfat noauto\n',
  ).map(({ target, state }) => [target, state]);
  expect(states).toEqual([
    ['/', 'mount'],
    ['/boot', 'mount'],
    ['/usb', 'skipped'],
  ]);
});

test('of the options on the disk only the subvolume is taken over', () => {
  const [, home] = planMounts(
    parseFstab('UUID=b / btrfs subvol=@\nUUID=b /home btrfs subvol=@home,suid,dev,exec\n').entries,
    { ...place, device: partition(3, 'btrfs', 'b'), disks: [disk([partition(3, 'btrfs', 'b')])] },
  );
  expect(home === undefined ? null : selectOptions(home)).toEqual(['subvol=@home']);
});
