import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRescueVm, type RescueVm } from '../../../fixtures/rescue-vm.ts';
import { maskActivation, unmaskActivation } from '../../../fixtures/stacks/activation.ts';
import {
  type AttachedStack,
  attachStack,
  describeStack,
} from '../../../fixtures/stacks/describe-stack.ts';
import {
  proveCheck,
  proveCleanup,
  proveInspect,
  proveRescue,
  runs,
  untouched,
} from '../../../fixtures/stacks/prove-stack.ts';

let vm: RescueVm;
const machine = () => vm;

beforeAll(async () => {
  vm = await openRescueVm();
});
afterAll(() => vm.close());

describe('a host whose udev assembles no arrays', () => {
  beforeAll(() => maskActivation(vm));

  describeStack('RAID10 of partitions with XFS', 'raid10-xfs', machine, { killed: true });
  describeStack('an array with metadata 0.90', 'md-090', machine);
  describeStack('a partitioned linear array', 'md-parts', machine);
  describeStack('RAID5 with a disk missing', 'raid5', machine, {
    only: [1, 3],
    options: ['--degraded'],
  });

  describe('an array without one of its disks', () => {
    let stack: AttachedStack;
    beforeAll(async () => {
      stack = await attachStack(vm, 'raid5', { only: [2, 3] });
    });
    afterAll(() => stack.detach());

    it('stays closed until the person allows it, and says by which option', async () => {
      const answer = await untouched(stack, () => runs(stack, 'inspect', [], 2));
      expect(answer.stderr + answer.stdout).toContain('2 of 3 disks are attached');
      expect(answer.stderr + answer.stdout).toContain('--degraded');
    });
  });

  describe('an array that does not work without the missing disk', () => {
    let stack: AttachedStack;
    beforeAll(async () => {
      stack = await attachStack(vm, 'md-parts', { only: [1] });
    });
    afterAll(() => stack.detach());

    it('stays closed, and says why', async () => {
      const { target } = stack;
      const answer = await untouched(stack, () =>
        vm.kit(['inspect', target, '--degraded', '--json']),
      );
      expect(answer.exitCode).not.toBe(0);
      expect(answer.stdout + answer.stderr).toContain('linear does not work with fewer');
    });
  });
});

/** What udev calls the host's array now. */
const links = () =>
  vm.sh(
    `find /dev/md /dev/disk/by-id /dev/disk/by-uuid -type l -printf '%p %l\\n' | grep md | sort`,
  );

describe('a host that has an array of the same name and UUID', () => {
  let original: AttachedStack;
  let copy: AttachedStack;
  let before = '';
  beforeAll(async () => {
    await maskActivation(vm);
    original = await attachStack(vm, 'raid5', { as: 'host' });
    await vm.sh(`mdadm --assemble --quiet /dev/md/system ${original.devices.join(' ')}
      udevadm settle; mount -o ro /dev/md/system /mnt`);
    copy = await attachStack(vm, 'raid5', { as: 'copy' });
    before = await links();
  });
  afterEach(async () => expect(await links()).toBe(before));
  afterAll(async () => {
    await copy.detach();
    await vm.sh('umount /mnt; mdadm --stop --quiet --scan');
    await original.detach();
  });

  it('opens the copy under a node of its own', async () => {
    await proveInspect(copy);
  });
  it('keeps its own names while the copy is up', async () => {
    await runs(copy, 'mount', ['--read-only']);
    try {
      expect(await vm.sh('cat /proc/mdstat')).toContain('md999 : active (read-only) raid5');
      expect(await links()).toBe(before);
    } finally {
      await vm.kit(['cleanup']);
    }
    await vm.expectAsBefore();
  });
  it('boots the copy', async () => {
    await proveRescue(copy);
  });
  it('takes the copy down by cleanup after kill -9', () => proveCleanup(copy));
});

describe('a host whose udev assembles arrays', () => {
  beforeAll(() => unmaskActivation(vm));

  describeStack('RAID10 of partitions with XFS', 'raid10-xfs', machine, {
    brief: true,
  });
  // Once written to without its third disk the array is begun and started by udev, on any host.
  describe('RAID5 that udev has begun and not started', () => {
    let stack: AttachedStack;
    beforeAll(async () => {
      stack = await attachStack(vm, 'raid5', { only: [1, 2], options: ['--degraded'] });
    });
    afterAll(() => stack.detach());

    it('is looked into, and is begun and not started afterwards', async () => {
      await proveInspect(stack);
      expect(await vm.sh('cat /proc/mdstat')).toContain('inactive');
    });
    it('is checked with nothing written', async () => {
      await proveCheck(stack);
    });
  });

  it('finds the missing disk by itself among those that are attached', async () => {
    await maskActivation(vm);
    const stack = await attachStack(vm, 'raid5', {});
    try {
      const answer = await untouched(stack, () => runs(stack, 'inspect'));
      expect(answer.stdout).toContain('web-3');
    } finally {
      await stack.detach();
    }
  });
});
