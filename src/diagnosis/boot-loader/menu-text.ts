/**
 * Whether a line of GRUB's menu begins with one of these commands. Only blanks of the same line stand
 * before it: a pattern that takes line ends, too, would go through a run of empty lines from each of them.
 *
 * @param commands a regular expression without `^`.
 */
export const hasCommand = (menu: string, commands: string): boolean =>
  new RegExp(`^[ \\t]*(?:${commands})(?=[\\s;}]|$)`, 'm').test(menu);

const uuid = /^[0-9A-Fa-f][0-9A-Fa-f-]{7,}$/;

const searchedBy = (line: string): string | null => {
  const [command, ...words] = line.trim().split(/\s+/);
  const isSearch =
    command === 'search.fs_uuid' ||
    (command === 'search' && words.some((word) => word === '--fs-uuid' || word === '-u'));
  return isSearch ? (words.find((word) => uuid.test(word)) ?? null) : null;
};

/** The file system that the first `search` by UUID of a configuration of GRUB looks for. */
export const searchedUuid = (config: string): string | null => {
  for (const line of config.split('\n')) {
    const found = searchedBy(line);
    if (found !== null) return found;
  }
  return null;
};
