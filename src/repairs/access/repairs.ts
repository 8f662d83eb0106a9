import type { Repair } from '../repair.ts';

export const accessRepairs: readonly Repair[] = [];
