import type { Repair } from '../repair.ts';

export const bootLoaderRepairs: readonly Repair[] = [];
