import type { Repair } from '../repair.ts';

export const userlandRepairs: readonly Repair[] = [];
