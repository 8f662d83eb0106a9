import { checkResult, orResult } from './check-result.ts';
import { e2fsckArgs } from './e2fsck.ts';
import { lookAtExt } from './ext-look.ts';
import { repairExt } from './ext-repair.ts';
import type { FileSystem } from './file-system.ts';

const common: Omit<FileSystem, 'types' | 'lookOptions'> = {
  writeOptions: ['errors=remount-ro'],
  checkCommands: (device) => [
    ['dumpe2fs', '-h', device],
    ['e2fsck', ...e2fsckArgs({ mode: '-n', path: device })],
  ],
  repairCommands: (device) =>
    (['-p', '-y', '-n'] as const).map((mode) => [
      'e2fsck',
      ...e2fsckArgs({ mode, path: device, ...(mode === '-n' ? {} : { undoFile: 'UNDOFILE' }) }),
    ]),
  check: (context) =>
    orResult(
      () => lookAtExt(context),
      (words) => checkResult(context, 'skipped', `It could not be looked at: ${words}`),
    ),
  repair: repairExt,
};

/** ext3 and ext4; `ro` alone would replay the journal on a writable device, `noload` does not. */
export const extFileSystem: FileSystem = {
  ...common,
  types: ['ext3', 'ext4'],
  lookOptions: ['ro', 'noload'],
};

/** ext2 has no journal, and mounting it refuses `noload` as an unknown option. */
export const ext2FileSystem: FileSystem = { ...common, types: ['ext2'], lookOptions: ['ro'] };
