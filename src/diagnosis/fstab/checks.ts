import type { Check } from '../check.ts';
import { crypttab } from './crypttab.ts';
import { duplicateEntry } from './duplicate-entry.ts';
import { fileSystemType } from './file-system-type.ts';
import { kernelName } from './kernel-name.ts';
import { malformedLine } from './malformed-line.ts';
import { missingDevice } from './missing-device.ts';
import { missingFile } from './missing-file.ts';
import { mountOptions } from './mount-options.ts';
import { mountPoint } from './mount-point.ts';
import { mountUnits } from './mount-units.ts';
import { rootEntry } from './root-entry.ts';
import { subvolume } from './subvolume.ts';

/** What a system's fstab and crypttab may have wrong. */
export const fstabChecks: readonly Check[] = [
  rootEntry,
  malformedLine,
  missingDevice,
  missingFile,
  subvolume,
  fileSystemType,
  mountOptions,
  mountPoint,
  kernelName,
  duplicateEntry,
  crypttab,
  mountUnits,
];
