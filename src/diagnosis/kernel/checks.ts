import type { Check } from '../check.ts';
import { kernelImageCheck } from './image.ts';
import { initramfsCheck } from './initramfs.ts';
import { modulesCheck } from './modules.ts';
import { kernelCheck } from './none.ts';

export const kernelChecks: readonly Check[] = [
  kernelCheck,
  kernelImageCheck,
  initramfsCheck,
  modulesCheck,
];
