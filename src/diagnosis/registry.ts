import { accessChecks } from './access/checks.ts';
import { bootLoaderChecks } from './boot-loader/checks.ts';
import type { Check } from './check.ts';
import { fstabChecks } from './fstab/checks.ts';
import { kernelChecks } from './kernel/checks.ts';
import { lastBootsChecks } from './last-boots/checks.ts';
import { networkChecks } from './network/checks.ts';
import { spaceChecks } from './space/checks.ts';
import { userlandChecks } from './userland/checks.ts';

/** Every check, in the order in which a person reads their findings. */
export const allChecks: readonly Check[] = [
  ...fstabChecks,
  ...kernelChecks,
  ...bootLoaderChecks,
  ...userlandChecks,
  ...spaceChecks,
  ...accessChecks,
  ...networkChecks,
  ...lastBootsChecks,
];
