import { checkResult } from './check-result.ts';
import type { CheckContext, CheckResult, FileSystem } from './file-system.ts';

const nothingToCheck = async (context: CheckContext): Promise<CheckResult> =>
  checkResult(
    context,
    'skipped',
    `A ${context.fsType} file system is written once and has no checker; reading it shows whether it is whole.`,
  );

/** File systems that can only be read: live systems and installation media. */
export const readOnlyMedia: FileSystem = {
  types: ['squashfs', 'erofs', 'iso9660'],
  lookOptions: ['ro'],
  writeOptions: ['ro'],
  checkCommands: () => [],
  repairCommands: () => [],
  check: nothingToCheck,
  repair: nothingToCheck,
};
