import type { Check } from '../check.ts';

export const fstabChecks: readonly Check[] = [];
