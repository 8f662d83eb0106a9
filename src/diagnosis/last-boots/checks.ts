import type { Check } from '../check.ts';
import { lastBootsEvidence } from './evidence.ts';

/** What the logs on the disk tell of the last boots. */
export const lastBootsChecks: readonly Check[] = [lastBootsEvidence];
