import { expandGlob } from './glob.ts';
import { firstInside } from './inside.ts';
import type { SystemFiles } from './system-files.ts';

/** One directive of sshd_config(5) and where it stands. */
export type SshdDirective = {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** In lower case: sshd compares without case. */
  readonly keyword: string;
  readonly words: readonly string[];
  /** The line as it is. */
  readonly text: string;
  /** It stands after a `Match` line and is valid for some connections only. */
  readonly inMatch: boolean;
  /** A quotation mark is open at the end of the line. */
  readonly openQuote: boolean;
};

export const sshdConfigPath = '/etc/ssh/sshd_config';

type Words = Pick<SshdDirective, 'words' | 'openQuote'>;

/** Words between blanks; quotes hold blanks together, and `#` outside of a word starts a comment. */
const wordsOf = (text: string): Words => {
  const words: string[] = [];
  const parts = text.matchAll(/"([^"]*)("?)|(#.*)|([^\s"]+)/g);
  for (const [, quoted, close, comment, plain] of parts) {
    if (comment !== undefined) break;
    if (quoted !== undefined && close === '') return { words, openQuote: true };
    words.push(quoted ?? plain ?? '');
  }
  return { words, openQuote: false };
};

/** A keyword may be set off by blanks or by one `=` (strdelim of OpenSSH). */
const parseLine = (text: string) => {
  const content = text.trim();
  if (content === '' || content.startsWith('#')) return null;
  const [, quoted, plain, rest] =
    /^(?:"([^"]*)"|([^\s="]+))(?:\s*=\s*|\s*)(.*)$/s.exec(content) ?? [];
  return { keyword: (quoted ?? plain ?? content).toLowerCase(), ...wordsOf(rest ?? '') };
};

/** Directives of one file; `inMatch` as the file's own `Match` lines make it. */
export const parseSshdConfig = (path: string, text: string): readonly SshdDirective[] => {
  let inMatch = false;
  return text.split('\n').flatMap((raw, index) => {
    const parsed = parseLine(raw);
    if (parsed === null) return [];
    // `Match all` is how a person ends the block before it.
    if (parsed.keyword === 'match') inMatch = parsed.words[0]?.toLowerCase() !== 'all';
    return [{ path, line: index + 1, text: raw.replace(/\r$/, ''), inMatch, ...parsed }];
  });
};

/** The file that sshd reads; SUSE keeps the vendor's below /usr. Null when there is none. */
export const findSshdConfig = (files: SystemFiles): Promise<string | null> =>
  firstInside(
    [sshdConfigPath, '/usr/etc/ssh/sshd_config'],
    async (path) => (await files.status(path))?.kind === 'file',
  );

/** sshd refuses deeper nesting (servconf.c). */
const maxDepth = 16;

const readFile = async (
  files: SystemFiles,
  path: string,
  depth: number,
): Promise<readonly SshdDirective[]> => {
  const text = await files.read(path);
  if (text === null || depth > maxDepth) return [];
  const directives: SshdDirective[] = [];
  for (const directive of parseSshdConfig(path, text)) {
    directives.push(directive);
    if (directive.keyword !== 'include') continue;
    for (const word of directive.words) {
      const glob = word.startsWith('/') ? word : `/etc/ssh/${word}`;
      for (const found of await expandGlob(files, glob)) {
        const nested = await readFile(files, found, depth + 1);
        directives.push(
          ...nested.map((each) => (directive.inMatch ? { ...each, inMatch: true } : each)),
        );
      }
    }
  }
  return directives;
};

/** All directives in the order in which sshd reads them, with the files that `Include` names. */
export const readSshdConfig = async (files: SystemFiles): Promise<readonly SshdDirective[]> =>
  readFile(files, (await findSshdConfig(files)) ?? sshdConfigPath, 0);

/** Words of a directive outside of `Match`; of several the first one counts. */
export const sshdValue = (
  directives: readonly SshdDirective[],
  keyword: string,
): readonly string[] | null =>
  directives.find((each) => !each.inMatch && each.keyword === keyword)?.words ?? null;

/** Words of all directives of that name outside of `Match`, for those that add up (HostKey, Port). */
export const sshdValues = (
  directives: readonly SshdDirective[],
  keyword: string,
): readonly string[] =>
  directives
    .filter((each) => !each.inMatch && each.keyword === keyword)
    .flatMap((each) => each.words.slice(0, 1));
