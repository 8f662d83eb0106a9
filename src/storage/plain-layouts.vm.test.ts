import { afterAll, beforeAll, expect } from 'vitest';
import { openRescueVm, type RescueVm } from '../../fixtures/rescue-vm.ts';
import { describeStack } from '../../fixtures/stacks/describe-stack.ts';

let vm: RescueVm;

beforeAll(async () => {
  vm = await openRescueVm();
});
afterAll(() => vm.close());

describeStack('a file system without a partition table', 'whole-ext4', () => vm, {
  look: (system, { target }) => expect(system.root).toBe(target),
});
describeStack('an MBR with logical partitions', 'mbr-logical', () => vm, {
  look: (system, { target }) => expect(system.root).toBe(`${target}6`),
  readOnly: true,
});
describeStack('GPT with an EFI partition and /boot', 'gpt-efi', () => vm, {
  killed: true,
  look: (system, { target }) => expect(system.root).toBe(`${target}3`),
});
describeStack('a btrfs with subvolumes below subvolumes', 'btrfs-subvolumes', () => vm, {
  look: (system) => expect(system.subvolume).toContain('systems/web-3'),
});
