import { accessRepairs } from './access/repairs.ts';
import { bootLoaderRepairs } from './boot-loader/repairs.ts';
import { fstabRepairs } from './fstab/repairs.ts';
import { kernelRepairs } from './kernel/repairs.ts';
import { networkRepairs } from './network/repairs.ts';
import { type Repair, repairStages } from './repair.ts';
import { spaceRepairs } from './space/repairs.ts';
import { userlandRepairs } from './userland/repairs.ts';

/** In the order of their stages; within one as they were given. */
export const inOrder = (repairs: readonly Repair[]): readonly Repair[] =>
  repairs.toSorted(
    (one, other) => repairStages.indexOf(one.stage) - repairStages.indexOf(other.stage),
  );

/** Every repair, in the order in which they depend on each other. */
export const allRepairs: readonly Repair[] = inOrder([
  ...fstabRepairs,
  ...kernelRepairs,
  ...bootLoaderRepairs,
  ...userlandRepairs,
  ...spaceRepairs,
  ...accessRepairs,
  ...networkRepairs,
]);
