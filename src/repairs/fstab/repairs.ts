import type { Repair } from '../repair.ts';
import { addNofail } from './add-nofail.ts';
import { crypttabNofail } from './crypttab-nofail.ts';
import { crypttabSource } from './crypttab-source.ts';
import { makeMountPoint } from './make-mount-point.ts';
import { mendLines } from './mend-lines.ts';
import { renameUnit, wantUnit } from './mount-units.ts';
import { setDevice } from './set-device.ts';
import { setOptions } from './set-options.ts';
import { setSubvolume } from './set-subvolume.ts';
import { setType } from './set-type.ts';
import { addRoot, writeTable } from './write-table.ts';

/** In the order in which one makes the next possible: a line must be readable to be corrected. */
export const fstabRepairs: readonly Repair[] = [
  writeTable,
  mendLines,
  addRoot,
  setDevice,
  setType,
  setOptions,
  setSubvolume,
  crypttabSource,
  crypttabNofail,
  addNofail,
  renameUnit,
  wantUnit,
  makeMountPoint,
];
