import type { Check } from '../check.ts';

export const spaceChecks: readonly Check[] = [];
