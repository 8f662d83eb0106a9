import type { Repair } from '../repair.ts';

export const kernelRepairs: readonly Repair[] = [];
