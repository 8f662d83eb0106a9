import { plainText } from '../host/plain-text.ts';
import {
  compareStates,
  mostListed,
  readContents,
  type TreeState,
} from '../rehearsal/compare-files.ts';
import { differingPaths, listFiles } from '../rehearsal/file-list.ts';
import type { RehearsalRecord } from '../rehearsal/record.ts';
import type { RehearsalReport } from '../rehearsal/report.ts';
import { stageEntries } from '../rehearsal/staged-entries.ts';
import type { MountedSystem } from './mount-system.ts';
import type { Observer } from './observer.ts';
import {
  type FirstLook,
  listScratch,
  mountForLook,
  type RehearseRequest,
} from './rehearsal-look.ts';
import { findSystem } from './rescue-job.ts';
import type { Session } from './session.ts';

/** A rehearsal as it has begun. */
export type Stage = {
  readonly session: Session;
  /** Of the rehearsal, in the session's directory. */
  readonly directory: string;
  readonly look: FirstLook;
  readonly record: RehearsalRecord;
  readonly observer: Observer;
};

/** What is different in a layer, as it was while it was mounted. */
export type Changed = {
  readonly paths: readonly string[];
  readonly after: TreeState;
  readonly note: string | null;
};

const namesShown = 5;

const leftOut = (paths: readonly string[]): string | null => {
  if (paths.length === 0) return null;
  const more = paths.length - namesShown;
  const names = paths.slice(0, namesShown).map(plainText).join(', ');
  return `Left out of a commit: ${names}${more > 0 ? ` and ${more} more` : ''}.`;
};

/**
 * What is different in the mounted layer, while it is there. Of an overlay everything that a commit
 * needs is copied out of it.
 */
export const filesAfter = async (
  { session, look, record, directory }: Stage,
  { root }: MountedSystem,
): Promise<Changed | null> => {
  if (look.files === null) return null;
  const { host } = session;
  const list = await listFiles(session.host, root, listScratch(session));
  const paths = differingPaths(look.files, list);
  const contents = await readContents(host.files, root, list, paths.slice(0, mostListed));
  const left =
    record.means === 'overlay'
      ? await stageEntries(host, root, directory, paths, look.files, list)
      : [];
  return { paths, after: { list, contents }, note: leftOut(left) };
};

/** The same files as they are on the disk, which nobody has written. */
const filesBefore = async (
  { session, look, observer }: Stage,
  request: RehearseRequest,
  { paths }: Changed,
): Promise<TreeState> => {
  const list = look.files ?? new Map();
  const files = paths.slice(0, mostListed).filter((path) => list.get(path)?.kind === 'file');
  if (files.length === 0) return { list, contents: new Map() };
  const mark = session.mark();
  const quiet: Observer = { ...observer, task: (_, work) => work(() => {}), warn: () => {} };
  const found = await findSystem(
    session,
    { ...request, system: look.found.oneOfSeveral, mode: 'read-only' },
    quiet,
  );
  const { root } = await mountForLook(session, found);
  const contents = await readContents(session.host.files, root, list, files);
  await session.takeDownSince(mark);
  return { list, contents };
};

/** Only what is listed is compared; the rest is counted. */
const listed = ({ list, contents }: TreeState, paths: readonly string[]): TreeState => {
  const wanted = new Set(paths);
  return { list: new Map([...list].filter(([path]) => wanted.has(path))), contents };
};

/** Compares what changed with the disk as it is. Nothing of the layer is up any more. */
export const compareFiles = async (
  stage: Stage,
  request: RehearseRequest,
  changed: Changed | null,
): Promise<Pick<RehearsalReport, 'files' | 'fileCount' | 'filesNote'>> => {
  if (changed === null) return { files: null, fileCount: 0, filesNote: stage.look.filesNote };
  const before = await filesBefore(stage, request, changed);
  const paths = changed.paths.slice(0, mostListed);
  return {
    files: compareStates(listed(before, paths), listed(changed.after, paths)),
    fileCount: changed.paths.length,
    filesNote: changed.note,
  };
};
