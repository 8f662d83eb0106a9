import type { Check } from '../check.ts';

export const lastBootsChecks: readonly Check[] = [];
