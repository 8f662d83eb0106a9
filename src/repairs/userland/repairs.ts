import type { Repair } from '../repair.ts';
import { accountsRepair } from './accounts.ts';
import { clearFlagsRepair } from './clear-flags.ts';
import { defaultTargetRepair } from './default-target.ts';
import { initRepair } from './init.ts';
import { knownModesRepair } from './known-modes.ts';
import { machineIdRepair } from './machine-id.ts';
import { makeDirectoriesRepair } from './make-directories.ts';
import { preloadRepair } from './preload.ts';
import { relinkRepair } from './relink.ts';
import { unmaskRepair } from './unmask.ts';

/** Links and directories first: the others need the paths. */
export const userlandRepairs: readonly Repair[] = [
  clearFlagsRepair,
  relinkRepair,
  makeDirectoriesRepair,
  initRepair,
  preloadRepair,
  accountsRepair,
  knownModesRepair,
  machineIdRepair,
  defaultTargetRepair,
  unmaskRepair,
];
