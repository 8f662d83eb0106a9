import { z } from 'zod';
import type { CommandResult } from '../host/command.ts';
import type { CheckContext } from './file-system.ts';

const count = z.coerce.number().int().nonnegative();

const unitBytes: Readonly<Record<string, number>> = { k: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** "4096k" or "32M" in bytes; zero for another form, for it only bounds an estimate. */
const bytesOf = (text: string): number => {
  const [, digits, unit = ''] = /^(\d+)([kMG])$/.exec(text) ?? [];
  return Number(digits ?? 0) * (unitBytes[unit] ?? 0);
};

/** The fields of `dumpe2fs -h` that matter here, under dumpe2fs's own names. */
const superblockSchema = z.object({
  'Filesystem features': z.string().transform((text) => text.split(/\s+/)),
  'Filesystem state': z.string(),
  'Inode count': count,
  'Free inodes': count,
  'Inode size': count,
  'Block count': count,
  'Block size': count,
  'Blocks per group': count,
  'Journal UUID': z.string().optional(),
  'Journal device': z.string().optional(),
  'Total journal size': z.string().transform(bytesOf).optional(),
});

export type ExtSuperblock = {
  /** The journal holds changes that are not yet in place. */
  readonly needsRecovery: boolean;
  /** The journal is on another device. */
  readonly externalJournal: boolean;
  /** `clean`, `not clean`, with or without `with errors`: what the kernel noted at the end. */
  readonly state: string;
  /** Rough upper size of the metadata in use, in bytes; directories are guessed. */
  readonly metadataBytes: number;
};

/** Reads the text of `dumpe2fs -h`; null when it describes no superblock. */
export const parseSuperblock = (text: string): ExtSuperblock | null => {
  const lines = [...text.matchAll(/^([A-Z][^:\n]*):[ \t]+(.*)$/gm)];
  const parsed = superblockSchema.safeParse(
    Object.fromEntries(lines.map((match) => [match[1], match[2]?.trim()])),
  );
  if (!parsed.success) return null;
  const fields = parsed.data;
  const features = fields['Filesystem features'];
  const groups = Math.ceil(fields['Block count'] / Math.max(fields['Blocks per group'], 1));
  const usedInodes = Math.max(fields['Inode count'] - fields['Free inodes'], 0);
  return {
    needsRecovery: features.includes('needs_recovery'),
    externalJournal: fields['Journal UUID'] !== undefined || fields['Journal device'] !== undefined,
    state: fields['Filesystem state'],
    metadataBytes:
      usedInodes * (fields['Inode size'] + 512) +
      groups * 3 * fields['Block size'] +
      (fields['Total journal size'] ?? 0),
  };
};

/** A backup superblock: block number in blocks of `blockSize` bytes. */
export type BackupSuperblock = { readonly block: number; readonly blockSize: number };

/** dumpe2fs ends with the low byte of its library's error number: any code but 0 is "not usable". */
const anyExit: readonly number[] = Array.from({ length: 256 }, (_, code) => code);

type Reader = Pick<CheckContext, 'host' | 'device' | 'signal'>;

const dump = (context: Reader, options: readonly string[]): Promise<CommandResult> => {
  const { host, device, signal } = context;
  return host.run({
    program: 'dumpe2fs',
    args: ['-h', ...options, device],
    accept: anyExit,
    changes: false,
    ...(signal === undefined ? {} : { signal }),
  });
};

/** The primary superblock; null when it, or what hangs on it at once, is gone or damaged. */
export const readSuperblock = async (context: Reader): Promise<ExtSuperblock | null> => {
  const result = await dump(context, []);
  return result.exitCode === 0 ? parseSuperblock(result.stdout) : null;
};

/**
 * Whether a backup was read and its checksum is right. dumpe2fs exits 1 all the same when the
 * group descriptors are damaged, and then speaks of the journal.
 */
const isUsable = ({ stdout, stderr }: CommandResult): boolean =>
  parseSuperblock(stdout) !== null && !/while trying to open/.test(stderr);

// Backups stand at the start of group 1, 3 and 5 with mke2fs's default of 8 * blockSize blocks per
// group (mke2fs(8), sparse_super); with 1 KiB blocks everything is one block later.
const candidates: readonly BackupSuperblock[] = [4096, 1024, 2048].flatMap((blockSize) =>
  [1, 3, 5].map((group) => ({
    block: group * 8 * blockSize + (blockSize === 1024 ? 1 : 0),
    blockSize,
  })),
);

/**
 * The backup superblocks that can really be read. With `block` only that one is looked for, at each
 * block size.
 */
export const findBackups = async (
  context: Reader,
  block?: number,
): Promise<readonly BackupSuperblock[]> => {
  const wanted =
    block === undefined
      ? candidates
      : [4096, 1024, 2048].map((blockSize) => ({ block, blockSize }));
  const found: BackupSuperblock[] = [];
  for (const backup of wanted) {
    const options = ['-o', `superblock=${backup.block}`, '-o', `blocksize=${backup.blockSize}`];
    if (isUsable(await dump(context, options))) found.push(backup);
  }
  return found;
};
