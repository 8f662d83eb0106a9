import type { Check } from '../check.ts';

export const userlandChecks: readonly Check[] = [];
