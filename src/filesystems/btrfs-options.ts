import type { BtrfsParts } from './file-system.ts';

/** Members are named at each mount: the kernel needs no earlier scan then. */
export const btrfsOptions = (btrfs: Omit<BtrfsParts, 'copies'> | undefined): readonly string[] => [
  ...(btrfs?.devices ?? []).map((device) => `device=${device}`),
  ...(btrfs?.degraded ? ['degraded'] : []),
];
