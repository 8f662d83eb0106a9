import type { SystemFiles } from '../system-image/system-files.ts';

/**
 * Changes single lines of a text and keeps every other byte, line ends included.
 *
 * @param edits by line number from 1; null takes the line out with its line end.
 */
export const editLines = (
  text: string,
  edits: ReadonlyMap<number, (line: string) => string | null>,
): string =>
  text
    .split(/(?<=\n)/)
    .map((raw, index) => {
      const edit = edits.get(index + 1);
      if (edit === undefined) return raw;
      const [, line = '', end = ''] = /^(.*?)(\r?\n?)$/s.exec(raw) ?? [];
      const edited = edit(line);
      return edited === null ? '' : `${edited}${end}`;
    })
    .join('');

/** The line as a comment; one that is a comment already stays as it is. */
export const asComment = (line: string): string => (/^\s*#/.test(line) ? line : `#${line}`);

/** The places that findings name in files: path to line numbers. */
export const placesOf = (
  findings: readonly {
    readonly evidence: readonly ({ readonly kind: string } & Partial<{
      readonly path: string;
      readonly line: number | null;
    }>)[];
  }[],
): ReadonlyMap<string, readonly number[]> => {
  const places = new Map<string, number[]>();
  for (const { path, line } of findings.flatMap(({ evidence }) => evidence)) {
    if (path === undefined || line === undefined || line === null) continue;
    places.set(path, [...(places.get(path) ?? []), line]);
  }
  return places;
};

/**
 * Where a file really is: authselect and others keep links in /etc, and a change of a link's path
 * would put a file in its place.
 */
export const throughLinks = async (files: SystemFiles, path: string): Promise<string> =>
  (await files.locate(path))?.path ?? path;
