import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRescueVm, type RescueVm } from '../../fixtures/rescue-vm.ts';
import {
  type AttachedStack,
  attachStack,
  describeStack,
} from '../../fixtures/stacks/describe-stack.ts';
import {
  proveCheck,
  proveCleanup,
  proveInspect,
  proveRescue,
  runs,
  untouched,
} from '../../fixtures/stacks/prove-stack.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';

let vm: RescueVm;
const machine = () => vm;

beforeAll(async () => {
  vm = await openRescueVm();
});
afterAll(() => vm.close());

describeStack('a btrfs RAID1 over two disks, one of them named', 'btrfs-raid1', machine);
describeStack('a btrfs RAID1 over two disks, one of them missing', 'btrfs-raid1', machine, {
  only: [2],
  options: ['--degraded'],
});

// Debian's kernel is 6.1: from 6.7 on it keeps clones apart by itself.
describe('a clone of a btrfs that the host has mounted', () => {
  let original: AttachedStack;
  let clone: AttachedStack;
  let renamed: AttachedStack;

  beforeAll(async () => {
    original = await attachStack(vm, 'btrfs-subvolumes', { as: 'original' });
    await vm.sh(`mount -t btrfs ${original.target} /mnt`);
    clone = await attachStack(vm, 'btrfs-subvolumes', { as: 'clone' });
    renamed = { ...clone, options: ['--rename-clone'] };
  });
  afterAll(async () => {
    await vm.sh('umount /mnt');
    await clone.detach();
    await original.detach();
  });

  /** What makes the file system that one; the tool rewrites trees, and the rest with it. */
  const identity = () =>
    vm.sh(`btrfs inspect-internal dump-super ${clone.target} |
      grep -E '^(fsid|metadata_uuid|dev_item.(uuid|fsid|devid)|flags|incompat_flags|label)'`);

  it('is looked into and checked on a cover, with nothing written', async () => {
    const system = await proveInspect(clone);
    expect(system?.mounts.every(({ state }) => state === 'mount')).toBe(true);
    await proveCheck(clone);
  });

  it('is tried with nothing kept', async () => {
    const answer = await untouched(clone, () =>
      runs(clone, 'rescue', ['--ephemeral', '--exec', 'touch /mark && cat /etc/hostname']),
    );
    expect(answer.json(rescueDocumentSchema).exec?.stdout).toBe('web-3\n');
  });

  it('is not renamed without the person’s word', async () => {
    const answer = await untouched(clone, () => runs(clone, 'rescue', ['--exec', 'true'], 2));
    expect(answer.error()).toMatchObject({ code: 'CLONE' });
    expect(answer.error().hint).toContain('--rename-clone');
  });

  it('is booted under another UUID, and has its own again afterwards', async () => {
    const before = await identity();
    await proveRescue(renamed, 'echo cloned > /mark');
    expect(await identity()).toBe(before);
    expect(await vm.sh('cat /mnt/systems/web-3/mark 2>/dev/null || echo none')).toBe('none');
    await proveCheck(clone);
  });

  it('gets its UUID back from cleanup after kill -9', async () => {
    const before = await identity();
    await proveCleanup(renamed);
    expect(await identity()).toBe(before);
  });
});

describe('a clone of a btrfs beside its original, neither of them mounted', () => {
  it('is the one that is worked on', async () => {
    const original = await attachStack(vm, 'btrfs-subvolumes', { as: 'original' });
    const clone = await attachStack(vm, 'btrfs-subvolumes', { as: 'clone' });
    const before = await vm.sums(original.files);
    await proveRescue(clone, 'echo cloned > /mark');
    expect(await vm.sums(original.files)).toEqual(before);
    expect(await proveRescue(clone, 'cat /mark')).toBe('cloned\n');
    expect(await vm.sums(original.files)).toEqual(before);
    await clone.detach();
    await original.detach();
  });
});
