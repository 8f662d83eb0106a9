import type { Repair } from '../repair.ts';

export const networkRepairs: readonly Repair[] = [];
