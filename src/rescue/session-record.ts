import { z } from 'zod';
import type { Files } from '../host/files.ts';
import { isAlive, processIdentitySchema } from '../host/processes.ts';
import { RescueError } from '../host/rescue-error.ts';
import { type OpenStep, openSteps } from './journal.ts';
import type { StatePaths } from './state-paths.ts';

const sessionFileSchema = z.object({
  id: z.string(),
  command: z.string(),
  /** An absolute path, as of the further disks; earlier versions kept both as they were given. */
  target: z.string(),
  /** Further disks and the name of the system: `undo` finds it by them. */
  withDisks: z.array(z.string()).readonly().default([]),
  system: z.string().nullable().default(null),
  createdAt: z.string(),
  /** The process that works on it; when it is gone and something is held, it was killed. */
  owner: processIdentitySchema,
  /** `up` is left up on purpose (`mount`), `closed` has been taken down. */
  phase: z.enum(['running', 'up', 'closed']),
  runDirectory: z.string(),
});

export type SessionFile = Readonly<z.infer<typeof sessionFileSchema>>;

export type SessionState = 'running' | 'up' | 'left' | 'closed';

/** A session as it stands in the state directory. */
export type SessionRecord = SessionFile & {
  readonly state: SessionState;
  readonly open: readonly OpenStep[];
  readonly directory: string;
};

/** Ids are made by rescuekit; anything else must not become part of a path. */
const idPattern = /^[0-9a-f]{4,16}$/;

export const isSessionId = (text: string): boolean => idPattern.test(text);

const stateOf = async (files: Files, file: SessionFile, open: readonly OpenStep[]) => {
  if (file.phase === 'closed' && open.length === 0) return 'closed';
  if (await isAlive(files, file.owner)) return 'running';
  if (file.phase === 'up') return 'up';
  return open.length > 0 ? 'left' : 'closed';
};

export const writeSessionFile = (
  files: Files,
  directory: string,
  file: SessionFile,
): Promise<void> =>
  files.writeText(`${directory}/session.json`, `${JSON.stringify(file, null, 2)}\n`, 0o600);

/** One session; null when there is none of that id, or only the beginning of one. */
export const readSessionRecord = async (
  files: Files,
  paths: StatePaths,
  id: string,
): Promise<SessionRecord | null> => {
  const directory = `${paths.sessions}/${id}`;
  const text = isSessionId(id) ? await files.readText(`${directory}/session.json`) : null;
  if (text === null) return null;
  const parsed = sessionFileSchema.safeParse(parseJson(text));
  if (!parsed.success) throw damagedState(directory, parsed.error);
  const open = openSteps((await files.readText(`${directory}/journal.jsonl`)) ?? '');
  return { ...parsed.data, open, directory, state: await stateOf(files, parsed.data, open) };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

const damagedState = (directory: string, cause: unknown): RescueError =>
  new RescueError({
    code: 'STATE_DAMAGED',
    message: `The session file in ${directory} cannot be read.`,
    hint: `Look at ${directory}/journal.jsonl: it names what the session put up.`,
    cause,
  });

/** All sessions, the oldest first. */
export const listSessionRecords = async (
  files: Files,
  paths: StatePaths,
): Promise<readonly SessionRecord[]> => {
  const ids = (await files.list(paths.sessions)) ?? [];
  const records = await Promise.all(ids.map((id) => readSessionRecord(files, paths, id)));
  return records
    .flatMap((record) => record ?? [])
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
};
