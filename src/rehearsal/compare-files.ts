import { createHash } from 'node:crypto';
import { createTwoFilesPatch } from 'diff';
import type { Files } from '../host/files.ts';
import { plainLine, plainText } from '../host/plain-text.ts';
import { sha256 } from '../host/sha256.ts';
import { differingPaths, type FileList, type ListedFile } from './file-list.ts';
import type { FileChange } from './report.ts';

/** What is remembered of a file's content: its checksum, and of a small text the text. */
export type Content = { readonly sum: string; readonly text: string | null };

/** A longer file is no configuration, and its diff no reading. */
const largestText = 128 * 1024;
/** More are counted, and not listed. */
export const mostListed = 2000;

const isText = (bytes: Buffer): boolean => !bytes.includes(0);

const readAtATime = 4 * 1024 * 1024;

/** Content of a file of the target, by a path that lies in a private tree. */
const contentAt = async (
  files: Files,
  path: string,
  { bytes }: ListedFile,
): Promise<Content | null> => {
  if (bytes <= largestText) {
    const small = await files.readUntrusted(path, largestText);
    if (small === null) return null;
    return { sum: sha256(small), text: isText(small) ? small.toString('utf8') : null };
  }
  const file = await files.openRaw(path, 'read');
  try {
    const hash = createHash('sha256');
    for (let at = 0; at < file.sizeBytes; at += readAtATime) {
      hash.update(await file.read(at, readAtATime));
    }
    return { sum: hash.digest('hex'), text: null };
  } finally {
    await file.close();
  }
};

/**
 * Remembers the contents of regular files, for a comparison with the same paths in another state of
 * the tree. The path is that of the list: find has followed no link to it.
 */
export const readContents = async (
  files: Files,
  root: string,
  list: FileList,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Content>> => {
  const contents = new Map<string, Content>();
  for (const path of paths) {
    const listed = list.get(path);
    if (listed?.kind !== 'file') continue;
    const content = await contentAt(files, `${root}${path}`, listed);
    if (content !== null) contents.set(path, content);
  }
  return contents;
};

/** One state of a tree: its list, and the contents of what differs from the other one. */
export type TreeState = {
  readonly list: FileList;
  readonly contents: ReadonlyMap<string, Content>;
};

const cleanLines = (text: string): string => text.split('\n').map(plainLine).join('\n');

const diffOf = (path: string, before: string, after: string): string => {
  const name = plainText(path);
  const patch = createTwoFilesPatch(name, name, cleanLines(before), cleanLines(after));
  // Before them stand a name and a rule that no other diff has.
  return patch.slice(Math.max(patch.indexOf('--- '), 0));
};

const kindOfChange = (
  old: ListedFile | undefined,
  now: ListedFile | undefined,
  sameContent: boolean,
): FileChange['change'] => {
  if (old === undefined) return 'added';
  if (now === undefined) return 'removed';
  if (old.kind !== now.kind || old.link !== now.link) return 'changed';
  return now.kind === 'file' && !sameContent ? 'changed' : 'attributes';
};

const bytesOf = (listed: ListedFile | undefined): number | null =>
  listed?.kind === 'file' ? listed.bytes : null;

const textOf = (listed: ListedFile | undefined, content: Content | undefined): string | null => {
  if (listed === undefined) return '';
  return listed.kind === 'file' ? (content?.text ?? null) : null;
};

const changeAt = (path: string, before: TreeState, after: TreeState): FileChange => {
  const [old, now] = [before.list.get(path), after.list.get(path)];
  const [oldContent, newContent] = [before.contents.get(path), after.contents.get(path)];
  const change = kindOfChange(old, now, oldContent?.sum === newContent?.sum);
  const [oldText, newText] = [textOf(old, oldContent), textOf(now, newContent)];
  const hasDiff = change !== 'attributes' && oldText !== null && newText !== null;
  return {
    path: plainText(path),
    change,
    kind: (now ?? old)?.kind ?? 'other',
    bytesBefore: bytesOf(old),
    bytesAfter: bytesOf(now),
    diff: hasDiff && oldText !== newText ? diffOf(path, oldText, newText) : null,
  };
};

/** What became different between two states of a tree, in the order of the paths. */
export const compareStates = (before: TreeState, after: TreeState): readonly FileChange[] =>
  differingPaths(before.list, after.list).map((path) => changeAt(path, before, after));
