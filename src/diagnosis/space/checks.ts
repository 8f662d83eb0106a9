import type { Check } from '../check.ts';
import { fullFileSystem } from './full.ts';

/** Whether a system has room to start. */
export const spaceChecks: readonly Check[] = [fullFileSystem];
