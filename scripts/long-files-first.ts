import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The test files that take longest, in minutes of two to fifteen; the longest first. */
const longest = [
  'storage/lvm/lvm.vm.test.ts',
  'repairs/watched-boots-1.faults.test.ts',
  'repairs/watched-boots-2.faults.test.ts',
  'repairs/boot-loader/efi.vm.test.ts',
  'repairs/lvm-raid1.vm.test.ts',
  'verification/vm/faults-after-kernel.vm.test.ts',
  'verification/vm/healthy.vm.test.ts',
  'storage/luks/luks.vm.test.ts',
  'storage/md/md.vm.test.ts',
  'repairs/fstab/fstab.faults.test.ts',
  'rescue/rehearse.vm.test.ts',
  'filesystems/btrfs-stack.vm.test.ts',
];

const rank = ({ moduleId }: TestSpecification): number => {
  const found = longest.findIndex((name) => moduleId.endsWith(name));
  return found < 0 ? longest.length : found;
};

/** Begins with the files that take longest: the last ones then end at about the same time. */
export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
