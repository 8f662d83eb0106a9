import type { Repair } from '../repair.ts';
import { dropLogs } from './drop-logs.ts';
import { orphanInitramfs } from './orphan-initramfs.ts';

export const spaceRepairs: readonly Repair[] = [dropLogs, orphanInitramfs];
