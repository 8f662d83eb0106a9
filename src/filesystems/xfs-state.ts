import { z } from 'zod';
import { runTool } from './checker.ts';
import type { CheckContext } from './file-system.ts';

const count = z.coerce.number().int().nonnegative();

const geometrySchema = z.object({
  /** 0: the log is on another device. */
  logstart: count,
  logblocks: count,
  blocksize: count,
  agcount: count,
  icount: count,
  ifree: count,
  inodesize: count,
});

export type XfsGeometry = z.infer<typeof geometrySchema>;

/** Fields asked of xfs_db and parsed from it are the same by construction. */
const fields = Object.keys(geometrySchema.shape);

/** Reads `name = value` lines of xfs_db; null when the superblock is not there. */
export const parseGeometry = (text: string): XfsGeometry | null => {
  const pairs = [...text.matchAll(/^(\w+) = (\d+)$/gm)].map((match) => [match[1], match[2]]);
  const parsed = geometrySchema.safeParse(Object.fromEntries(pairs));
  return parsed.success ? parsed.data : null;
};

/** What the superblock says of the file system's shape; null when it cannot be read. */
export const readGeometry = async (context: CheckContext): Promise<XfsGeometry | null> => {
  const result = await runTool(context, {
    program: 'xfs_db',
    args: ['-r', '-c', 'sb 0', '-c', `print ${fields.join(' ')}`, context.device],
    accept: [0, 1],
    changes: false,
  });
  return parseGeometry(result.stdout);
};

export type XfsLogState = 'clean' | 'dirty' | 'unreadable';

/** The line of `xfs_logprint -t` that tells whether the log ends with an unmount. */
export const parseLogState = (line: string): XfsLogState | null => {
  const match = /^\s*log tail: \d+ head: \d+ state: <(CLEAN|DIRTY)>/.exec(line);
  if (match === null) return null;
  return match[1] === 'CLEAN' ? 'clean' : 'dirty';
};

/** Asks the log itself, without writing; a log of 2 GiB prints far more than is kept. */
export const readLogState = async (context: CheckContext): Promise<XfsLogState> => {
  let state: XfsLogState = 'unreadable';
  await runTool(context, {
    program: 'xfs_logprint',
    args: ['-t', context.device],
    // 1: a record in the log is damaged; the state line has come by then, or never comes.
    accept: [0, 1],
    changes: false,
    keepOutput: false,
    onLine: (line) => {
      state = parseLogState(line) ?? state;
    },
  });
  return state;
};

/** Bytes that a metadump and the image made of it need together; directories are guessed. */
export const copyBytes = (geometry: XfsGeometry): number =>
  2 *
  (geometry.logblocks * geometry.blocksize +
    Math.max(geometry.icount - geometry.ifree, 0) * (geometry.inodesize + 512) +
    geometry.agcount * 64 * geometry.blocksize);
