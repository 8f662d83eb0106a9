import type { Check } from '../check.ts';
import { commandLineCheck } from './command-line.ts';
import { defaultGrubCheck } from './default-grub.ts';
import { entriesCheck } from './entries.ts';
import { espMountCheck } from './esp-mount.ts';
import { gptCheck } from './gpt.ts';
import { grubConfigCheck } from './grub-config.ts';
import { rootArgumentCheck } from './root-argument.ts';
import { startCheck } from './start.ts';

export const bootLoaderChecks: readonly Check[] = [
  gptCheck,
  startCheck,
  grubConfigCheck,
  entriesCheck,
  rootArgumentCheck,
  commandLineCheck,
  defaultGrubCheck,
  espMountCheck,
];
