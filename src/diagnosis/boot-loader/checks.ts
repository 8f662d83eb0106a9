import type { Check } from '../check.ts';

export const bootLoaderChecks: readonly Check[] = [];
