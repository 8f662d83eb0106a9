import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { z } from 'zod';
import type { EntryState } from '../host/entry-state.ts';
import type { Host } from '../host/host.ts';
import { losslessBytes, losslessText, namedBytes } from '../host/lossless-text.ts';
import { plainLine } from '../host/plain-text.ts';
import type { Change } from './change.ts';
import { holdsPrivateKey, withoutHashes } from './hide-secrets.ts';
import { type Place, placeOfChange } from './place.ts';

export const changeViewSchema = z.object({
  /** Path inside the system, or what the bytes are. */
  path: z.string(),
  kind: z.enum([
    'write-file',
    'make-link',
    'make-directory',
    'remove',
    'set-attributes',
    'copy-entry',
    'write-bytes',
  ]),
  /** What is different, line by line: a unified diff where it is text. */
  diff: z.array(z.string()).readonly(),
});

/** A change as it is shown before it is made. */
export type ChangeView = Readonly<z.infer<typeof changeViewSchema>>;

const maxTextBytes = 4 * 1024 * 1024;

/** Nobody reads more changed lines, and finding them would take long. */
const mostEdits = 2000;

/** Controls that are in no text (file(1)): beside bytes that are no UTF-8 they tell of a program. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is for
const binary = /[\u0000-\u0006\u000e-\u001a\u001c-\u001f\u007f]/;

/** Text as a person reads it; null for what is binary, too long to read, or a private key. */
const textOf = (bytes: Buffer | null): string | null => {
  if (bytes === null || bytes.length > maxTextBytes || bytes.includes(0)) return null;
  const text = losslessText(bytes);
  const isBinary = !text.isWellFormed() && binary.test(text);
  return isBinary || holdsPrivateKey(text) ? null : text;
};

const contextLines = 2;

/** Null when more is different than a person would read. */
const textDiff = (path: string, before: string, after: string): readonly string[] | null =>
  createTwoFilesPatch(path, path, before, after, undefined, undefined, {
    context: contextLines,
    headerOptions: FILE_HEADERS_ONLY,
    maxEditLength: mostEdits,
  })
    ?.trimEnd()
    .split('\n')
    .map((line) => namedBytes(plainLine(withoutHashes(line)))) ?? null;

const size = (state: EntryState | null): string =>
  state === null ? 'not there' : `${state.sizeBytes} bytes`;

const attributeLines = (before: EntryState | null, after: Partial<EntryState>) => {
  const mode = (value: number) => value.toString(8).padStart(4, '0');
  const lines: string[] = [];
  if (before === null) return lines;
  if (after.mode !== undefined && after.mode !== before.mode) {
    lines.push(`mode ${mode(before.mode)} -> ${mode(after.mode)}`);
  }
  const owner = `${after.uid ?? before.uid}:${after.gid ?? before.gid}`;
  if (owner !== `${before.uid}:${before.gid}`) {
    lines.push(`owner ${before.uid}:${before.gid} -> ${owner}`);
  }
  return lines;
};

const contentLines = async (
  host: Host,
  place: Place,
  before: EntryState | null,
  after: Buffer | null,
  afterBytes: number,
): Promise<readonly string[]> => {
  const old =
    before?.kind === 'file'
      ? textOf(await host.files.readUntrusted(place.hostPath, maxTextBytes + 1))
      : '';
  const text = textOf(after);
  const diff = old === null || text === null ? null : textDiff(place.path, old, text);
  return diff ?? [`content that is not shown: ${size(before)} -> ${afterBytes} bytes`];
};

const copyLines = async (
  host: Host,
  place: Place,
  before: EntryState | null,
  from: string,
): Promise<readonly string[]> => {
  const after = await host.files.entryState(from);
  if (after === null) return [];
  const attributes = attributeLines(before, after);
  if (after.kind === 'symlink') return [`link -> ${plainLine(after.linkTarget ?? '')}`];
  if (after.kind === 'directory') return before === null ? ['new directory'] : attributes;
  if (before?.sha256 === after.sha256) return attributes;
  const content = await host.files.readUntrusted(from, maxTextBytes + 1);
  return [...attributes, ...(await contentLines(host, place, before, content, after.sizeBytes))];
};

const entryLines = async (
  host: Host,
  change: Exclude<Change, { kind: 'write-bytes' }>,
  place: Place,
): Promise<readonly string[]> => {
  const before = await host.files.entryState(place.hostPath);
  switch (change.kind) {
    case 'write-file': {
      const content =
        typeof change.content === 'string' ? losslessBytes(change.content) : change.content;
      return [
        ...attributeLines(before, change.attributes ?? {}),
        ...(await contentLines(host, place, before, content, content.length)),
      ];
    }
    case 'make-link':
      return [
        `link ${before?.linkTarget === undefined || before.linkTarget === null ? size(before) : plainLine(before.linkTarget)} -> ${plainLine(change.to)}`,
      ];
    case 'make-directory':
      return before?.kind === 'directory'
        ? attributeLines(before, change.attributes)
        : ['new directory'];
    case 'remove':
      return [
        `removed (${before?.kind === 'file' ? size(before) : (before?.kind ?? 'not there')})`,
      ];
    case 'set-attributes':
      return [
        ...attributeLines(before, change.attributes),
        ...(change.clearFlags ?? []).map((flag) => `flag ${flag} cleared`),
      ];
    case 'copy-entry':
      return copyLines(host, place, before, change.from);
  }
};

/** What a change would do to the system as it is now, for a person to read before it is done. */
export const viewChange = async (host: Host, root: string, change: Change): Promise<ChangeView> => {
  if (change.kind === 'write-bytes') {
    const { what, device, offsetBytes, bytes, kind } = change;
    return {
      path: what,
      kind,
      diff: [`${bytes.length} bytes at ${offsetBytes} of ${device}`],
    };
  }
  const place = await placeOfChange(host, root, change);
  return {
    path: plainLine(place.path),
    kind: change.kind,
    diff: await entryLines(host, change, place),
  };
};
