import { accessRepairs } from './access/repairs.ts';
import { bootLoaderRepairs } from './boot-loader/repairs.ts';
import { fstabRepairs } from './fstab/repairs.ts';
import { kernelRepairs } from './kernel/repairs.ts';
import { networkRepairs } from './network/repairs.ts';
import { type Repair, repairStages } from './repair.ts';
import { spaceRepairs } from './space/repairs.ts';
import { userlandRepairs } from './userland/repairs.ts';

/** Every repair, in the order in which they depend on each other. */
export const allRepairs: readonly Repair[] = [
  ...fstabRepairs,
  ...kernelRepairs,
  ...bootLoaderRepairs,
  ...userlandRepairs,
  ...spaceRepairs,
  ...accessRepairs,
  ...networkRepairs,
].toSorted((one, other) => repairStages.indexOf(one.stage) - repairStages.indexOf(other.stage));
