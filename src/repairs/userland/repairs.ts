import type { Repair } from '../repair.ts';
import { accountsRepair } from './accounts.ts';
import { breakCycleRepair } from './break-cycle.ts';
import { clearFlagsRepair } from './clear-flags.ts';
import { defaultTargetRepair } from './default-target.ts';
import { dpkgConfigureRepair } from './dpkg-configure.ts';
import { dpkgStatusRepair } from './dpkg-status.ts';
import { initRepair } from './init.ts';
import { inittabRepair } from './inittab.ts';
import { knownModesRepair } from './known-modes.ts';
import { machineIdRepair } from './machine-id.ts';
import { makeDirectoriesRepair } from './make-directories.ts';
import { nsswitchRepair } from './nsswitch.ts';
import { packageLockRepair } from './package-lock.ts';
import { preloadRepair } from './preload.ts';
import { relinkRepair } from './relink.ts';
import { restoreFileRepair } from './restore-file.ts';
import { unitFileRepair } from './unit-file.ts';
import { unitDisableRepair } from './unit-links.ts';
import { unmaskRepair } from './unmask.ts';

/** Links and directories first: the others need the paths. */
export const userlandRepairs: readonly Repair[] = [
  clearFlagsRepair,
  relinkRepair,
  makeDirectoriesRepair,
  restoreFileRepair,
  initRepair,
  preloadRepair,
  nsswitchRepair,
  accountsRepair,
  knownModesRepair,
  machineIdRepair,
  inittabRepair,
  defaultTargetRepair,
  unmaskRepair,
  unitFileRepair,
  unitDisableRepair,
  breakCycleRepair,
  packageLockRepair,
  dpkgStatusRepair,
  dpkgConfigureRepair,
];
