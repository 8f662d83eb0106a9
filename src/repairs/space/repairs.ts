import type { Repair } from '../repair.ts';

export const spaceRepairs: readonly Repair[] = [];
