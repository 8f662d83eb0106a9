import type { Check } from '../check.ts';

export const kernelChecks: readonly Check[] = [];
