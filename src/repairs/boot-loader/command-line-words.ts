import type { Change } from '../../changes/change.ts';
import { defaultsPath } from '../../diagnosis/boot-loader/default-grub.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';

/** Debian's packages for clouds put the command line into a file of their own. */
const defaultsDirectory = '/etc/default/grub.d';

const assignment = /^(\s*(?:export\s+)?GRUB_CMDLINE_LINUX(?:_DEFAULT)?\+?=)(.*)$/;

/** The pattern of one certain word. */
export const wordPattern = (word: string): string =>
  word.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

/**
 * Takes words out of a command line; what stands between the others stays.
 *
 * @param patterns regular expressions, each for a whole word.
 */
export const withoutWords = (patterns: readonly string[]): ((words: string) => string) => {
  const words = new RegExp(`(?<=^|\\s)(?:${patterns.join('|')})(?:\\s+|$)`, 'g');
  return (text) => {
    const rest = text.replaceAll(words, '');
    return rest === text ? text : rest.trimEnd();
  };
};

/** The parts of a shell's line behind `=`: strings, closed or not, a comment, and bare words. */
const parts = /"(?:\\.|[^"\\])*"?|'[^']*'?|(?<=\s)#.*$|[^\s"']+/g;

/** Edits the words of a shell's value, quoted or not; a comment behind it is none of them. */
const editValue = (value: string, edit: (words: string) => string): string =>
  value.replaceAll(parts, (part) => {
    if (part.startsWith('#')) return part;
    const quote = /^["']/.exec(part)?.[0] ?? '';
    const end = part.length > 1 && part.endsWith(quote) ? quote : '';
    return `${quote}${edit(part.slice(quote.length, part.length - end.length))}${end}`;
  });

/** Edits what grub-mkconfig is told in a file of settings; every other byte stays. */
const editSettings = (text: string, edit: (words: string) => string): string =>
  text
    .split('\n')
    .map((line) => {
      const [, start, value] = assignment.exec(line) ?? [];
      return start === undefined || value === undefined
        ? line
        : `${start}${editValue(value, edit)}`;
    })
    .join('\n');

/**
 * Changes of the settings from which grub-mkconfig takes the kernel's command line.
 *
 * @param edit gets the words of one string.
 */
export const settingsEdited = async (
  files: SystemFiles,
  edit: (words: string) => string,
): Promise<readonly Change[]> => {
  const names = ((await files.list(defaultsDirectory)) ?? []).filter((name) =>
    name.endsWith('.cfg'),
  );
  const paths = [defaultsPath, ...names.map((name) => `${defaultsDirectory}/${name}`)];
  const changes = await Promise.all(
    paths.map(async (path): Promise<readonly Change[]> => {
      const text = await files.readForEdit(path);
      const content = text === null ? null : editSettings(text, edit);
      return content === null || content === text ? [] : [{ kind: 'write-file', path, content }];
    }),
  );
  return changes.flat();
};
