import type { Repair } from '../repair.ts';
import { listModules } from './list-modules.ts';
import { makeInitramfs } from './make-initramfs.ts';
import { restoreImage } from './restore-image.ts';
import { startAnother } from './start-another.ts';

/** Kernel and modules come before the initramfs that is made of them. */
export const kernelRepairs: readonly Repair[] = [
  restoreImage,
  startAnother,
  listModules,
  makeInitramfs,
];
