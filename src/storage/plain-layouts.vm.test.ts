import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRescueVm, type RescueVm } from '../../fixtures/rescue-vm.ts';
import {
  type AttachedStack,
  attachStack,
  describeStack,
} from '../../fixtures/stacks/describe-stack.ts';
import { proveInspect, proveReadOnlyMount } from '../../fixtures/stacks/prove-stack.ts';

let vm: RescueVm;

beforeAll(async () => {
  vm = await openRescueVm();
});
afterAll(() => vm.close());

describeStack('a file system without a partition table', 'whole-ext4', () => vm);
describeStack('an MBR with logical partitions', 'mbr-logical', () => vm);
describeStack('GPT with an EFI partition and /boot', 'gpt-efi', () => vm);
describeStack('a btrfs with nested subvolumes', 'btrfs-subvolumes', () => vm);

describe('an MBR with logical partitions', () => {
  let stack: AttachedStack;
  beforeAll(async () => {
    stack = await attachStack(vm, 'mbr-logical');
  });
  afterAll(() => stack.detach());

  it('has its root on the second logical one', async () => {
    const system = await proveInspect(stack);
    expect(system?.root).toBe(`${stack.target}6`);
  });

  it('is mounted for reading with nothing written', () => proveReadOnlyMount(stack));
});
