import type { Check } from '../check.ts';
import { missingDevice } from './missing-device.ts';
import { rootEntry } from './root-entry.ts';

/** What a system's fstab and crypttab may have wrong. */
export const fstabChecks: readonly Check[] = [rootEntry, missingDevice];
