import type { Repair } from '../repair.ts';
import { dropLogs } from './drop-logs.ts';

export const spaceRepairs: readonly Repair[] = [dropLogs];
