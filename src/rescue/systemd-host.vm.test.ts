import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeDiskImage } from '../../fixtures/disk-image.ts';
import { leanLayouts } from '../../fixtures/lean-disk.ts';
import { openRescueVm, type RescueVm } from '../../fixtures/rescue-vm.ts';
import {
  type ProvenStack,
  proveCheck,
  proveInspect,
  proveRescue,
} from '../../fixtures/stacks/prove-stack.ts';
import { checkDocumentSchema } from '../commands/check.ts';
import { inspectDocumentSchema } from '../commands/inspect.ts';
import { listDocumentSchema } from '../commands/list.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';

let vm: RescueVm;
let file = '';
let device = '';

beforeAll(async () => {
  vm = await openRescueVm();
  file = join(vm.directory, 'vol0abc.raw');
  await makeDiskImage(vm.host, { file, layout: leanLayouts.efi });
  device = await vm.attach(file, {});
  await vm.remember();
});
afterEach(() => vm.expectAsBefore());
afterAll(() => vm.close());

/** Runs a command and makes sure that not one byte of the disk has changed. */
const untouched = async (words: readonly string[], exitCode = 0) => {
  const before = await vm.sum(file);
  const answer = await vm.kit([...words, '--json']);
  expect(await vm.sum(file), `${words.join(' ')} has written to the disk`).toBe(before);
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(exitCode);
  return answer;
};

describe('a disk attached to a running host with systemd and udev', () => {
  it('is listed with its serial number and partitions, beside the protected own disk', async () => {
    const { disks } = (await untouched(['list'])).json(listDocumentSchema);
    const [own, attached] = disks;
    expect(disks).toHaveLength(2);
    expect(own).toMatchObject({ path: '/dev/vda', serial: 'rescue-host', mountpoints: ['/'] });
    expect(own?.protected?.reason).toContain('/');
    expect(attached).toMatchObject({ path: device, serial: 'vol0abc', protected: null });
    expect(attached?.children.map(({ fsType }) => fsType)).toEqual(['vfat', 'ext4', 'ext4']);
  });

  it('is looked into with nothing written', async () => {
    const { systems } = (await untouched(['inspect', device])).json(inspectDocumentSchema);
    expect(systems.map(({ root, hostname }) => [root, hostname])).toEqual([
      [`${device}3`, 'web-3'],
    ]);
    expect(systems[0]?.mounts.map(({ target, device: from }) => [target, from])).toEqual([
      ['/', `${device}3`],
      ['/boot', `${device}2`],
      ['/boot/efi', `${device}1`],
    ]);
  });

  it('is checked with nothing written', async () => {
    const { results } = (await untouched(['check', device])).json(checkDocumentSchema);
    expect(results.map(({ device: of, outcome }) => [of, outcome])).toEqual([
      [`${device}3`, 'clean'],
      [`${device}2`, 'clean'],
      [`${device}1`, 'clean'],
    ]);
  });

  it('is booted for a try with nothing kept, whatever the system inside writes', async () => {
    // vfat can be no lower layer of an overlay: the EFI partition stays plainly read-only.
    const script = 'mount -o remount,rw /; touch /a /boot/a && ls /a /boot/a; touch /boot/efi/a';
    const answer = await untouched(['rescue', device, '--ephemeral', '--exec', script], 1);
    expect(answer.json(rescueDocumentSchema)).toMatchObject({
      reachedTarget: true,
      exec: { exitCode: 1, stdout: '/a\n/boot/a\n' },
      cleanedUp: true,
    });
  });

  it('is rescued with all that its fstab names mounted, the EFI partition too', async () => {
    const script =
      'for p in / /boot /boot/efi; do findmnt -rno FSTYPE $p; done; echo kept > /boot/efi/kept';
    const answer = await vm.kit(['rescue', device, '--exec', script, '--json']);
    expect(answer.exitCode, answer.stdout + answer.stderr).toBe(0);
    expect(answer.json(rescueDocumentSchema)).toMatchObject({
      reachedTarget: true,
      exec: { stdout: expect.stringContaining('ext4\next4\nvfat\n') },
      cleanedUp: true,
    });
    await vm.sh(`mount -o ro ${device}1 /mnt && cat /mnt/kept; umount /mnt`);
  });

  it('is put together for a container with users of its own, each part with its owners', async () => {
    const script =
      'stat --format=%u /boot /boot/efi; findmnt -rno OPTIONS /boot | grep -o idmapped';
    const words = ['rescue', device, '--skip-check', '--private-users', '--exec', script, '--json'];
    const answer = await vm.kit(words);
    expect(answer.exitCode, answer.stdout + answer.stderr).toBe(0);
    expect(answer.json(rescueDocumentSchema).exec?.stdout).toBe('0\n0\nidmapped\n');
  });
});

describe('a clone of a disk whose XFS and ext4 the host has mounted', () => {
  let original = '';
  let clone: ProvenStack;

  beforeAll(async () => {
    const [from, to] = ['original.raw', 'clone.raw'].map((name) => join(vm.directory, name));
    if (from === undefined || to === undefined) return;
    await makeDiskImage(vm.host, { file: from, layout: leanLayouts.xfs });
    await vm.host.run({ program: 'cp', args: ['--sparse=always', from, to] });
    original = await vm.attach(from, {});
    clone = { vm, files: [to], target: await vm.attach(to, {}), mounts: ['/', '/boot'] };
    await vm.sh(`mount ${original}2 /mnt && mount ${original}1 /srv`);
    await vm.remember();
  });
  afterAll(async () => {
    await vm.sh('umount /srv /mnt');
    await vm.detach('clone');
    await vm.detach('original');
    await vm.remember();
  });

  it('is looked into with nothing written, and the original is refused', async () => {
    await proveInspect(clone);
    const refused = await vm.kit(['inspect', original, '--json']);
    expect(refused.exitCode, refused.stdout + refused.stderr).toBe(4);
  });

  it('is checked with nothing written', async () => {
    await proveCheck(clone);
  });

  it('is mounted all the same, and booted', async () => {
    const script = 'for p in / /boot; do findmnt -rno SOURCE,FSTYPE $p; done';
    expect(await proveRescue(clone, script)).toBe(`${clone.target}2 xfs\n${clone.target}1 ext4\n`);
    expect(await vm.sh('for p in /mnt /srv; do findmnt -rno SOURCE $p; done')).toBe(
      `${original}2\n${original}1`,
    );
  });
});

describe('a logical volume that the host has activated', () => {
  it('is looked into and let go, though the kernel knows its mount by another name', async () => {
    const blank = join(vm.directory, 'blank.raw');
    await vm.host.run({ program: 'truncate', args: ['--size=128M', blank] });
    const disk = await vm.attach(blank, {});
    const volume = '/dev/data/left';
    await vm.sh(`vgcreate -q -A n data ${disk} && lvcreate -q -y -A n -n left -L 64M data &&
      mkfs.ext4 -q ${volume} && udevadm settle`);
    try {
      const answer = await vm.kit(['inspect', volume, '--json']);
      expect(answer.exitCode, answer.stdout + answer.stderr).toBe(1);
      expect(answer.error().message).toContain('No Linux system');
      expect(await vm.sh('findmnt --raw | grep rescuekit || true')).toBe('');
    } finally {
      await vm.sh('vgchange -q -A n -an data');
      await vm.detach('blank');
    }
  });
});
