import type { Change } from '../../changes/change.ts';
import { defaultsPath } from '../../diagnosis/boot-loader/default-grub.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';

/** Debian's packages for clouds put the command line into a file of their own. */
const defaultsDirectory = '/etc/default/grub.d';

const assignment = /^(\s*(?:export\s+)?GRUB_CMDLINE_LINUX(?:_DEFAULT)?\+?=)(.*)$/;

/** The pattern of one certain word. */
export const wordPattern = (word: string): string =>
  word.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

/** Takes words out of a shell's value, quoted or not; what stands between the others stays. */
const fromValue = (value: string, patterns: readonly string[]): string => {
  const words = new RegExp(`(?<=^["']?|\\s)(?:${patterns.join('|')})(?:\\s+|(?=["']?\\s*$))`, 'g');
  const rest = value.replaceAll(words, '');
  return rest === value ? value : rest.replace(/\s+(["']\s*)$/, '$1');
};

/** Takes words out of what grub-mkconfig is told in a file of settings; every other byte stays. */
const withoutWords = (text: string, patterns: readonly string[]): string =>
  text
    .split('\n')
    .map((line) => {
      const [, start, value] = assignment.exec(line) ?? [];
      return start === undefined || value === undefined
        ? line
        : `${start}${fromValue(value, patterns)}`;
    })
    .join('\n');

/**
 * Changes of the settings from which grub-mkconfig takes the kernel's command line.
 *
 * @param patterns regular expressions, each for a whole word.
 */
export const settingsWithout = async (
  files: SystemFiles,
  patterns: readonly string[],
): Promise<readonly Change[]> => {
  const names = ((await files.list(defaultsDirectory)) ?? []).filter((name) =>
    name.endsWith('.cfg'),
  );
  const paths = [defaultsPath, ...names.map((name) => `${defaultsDirectory}/${name}`)];
  const changes = await Promise.all(
    paths.map(async (path): Promise<readonly Change[]> => {
      const text = await files.read(path);
      const content = text === null ? null : withoutWords(text, patterns);
      return content === null || content === text ? [] : [{ kind: 'write-file', path, content }];
    }),
  );
  return changes.flat();
};
