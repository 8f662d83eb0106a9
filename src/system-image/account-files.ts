/** One line of passwd(5), group(5) or shadow(5). */
export type AccountLine = {
  /** Line number in the file, from 1. */
  readonly line: number;
  readonly name: string;
  readonly fields: readonly string[];
};

const fieldCounts = { passwd: 7, group: 4, shadow: 9 } as const;

export type AccountFile = keyof typeof fieldCounts;

/** The lines with as many fields as the format has; the C library passes over all others. */
export const parseAccounts = (text: string, file: AccountFile): readonly AccountLine[] =>
  text
    .split('\n')
    .map((line, index) => {
      const fields = line.replace(/\r$/, '').split(':');
      return { line: index + 1, name: fields[0] ?? '', fields };
    })
    .filter(({ name, fields }) => name !== '' && fields.length === fieldCounts[file])
    .filter(({ fields }) => file === 'shadow' || /^\d+$/.test(fields[2] ?? ''));

/** Whether the file has a usable line for root. */
export const hasRoot = (text: string, file: AccountFile): boolean =>
  parseAccounts(text, file).some(
    ({ name, fields }) => name === 'root' && (file === 'shadow' || fields[2] === '0'),
  );

/** A password field that no password fits (shadow(5)); no line at all counts as locked, too. */
export const rootIsLocked = (shadow: string): boolean => {
  const root = parseAccounts(shadow, 'shadow').find(({ name }) => name === 'root');
  return root === undefined || /^[!*]/.test(root.fields[1] ?? '');
};

/** Number of a user or group by its name; null when the file has none. */
export const numberOf = (text: string, file: 'passwd' | 'group', name: string): number | null => {
  const found = parseAccounts(text, file).find((account) => account.name === name);
  return found === undefined ? null : Number(found.fields[2]);
};
