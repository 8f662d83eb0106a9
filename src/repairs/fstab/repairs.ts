import type { Repair } from '../repair.ts';

export const fstabRepairs: readonly Repair[] = [];
