import { z } from 'zod';

/** Which boot is watched after a repair; `auto` is the one that shows what was changed. */
export const proofWishes = ['auto', 'none', 'container', 'vm'] as const;

export const proofWishSchema = z.enum(proofWishes);
