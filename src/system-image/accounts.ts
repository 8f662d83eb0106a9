/** A line of passwd(5). */
export type Account = {
  readonly line: number;
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** As it is written; an empty field means /bin/sh. */
  readonly shell: string;
};

/** A line of shadow(5); days since 1970, null where the field is empty. */
export type ShadowEntry = {
  readonly line: number;
  readonly name: string;
  readonly password: string;
  readonly lastChange: number | null;
  readonly maxDays: number | null;
  readonly inactiveDays: number | null;
  readonly expires: number | null;
};

/** A line of group(5). */
export type Group = {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
};

type Fields = { readonly line: number; readonly fields: readonly string[] };

const rows = (text: string): readonly Fields[] =>
  text
    .split('\n')
    .map((raw, index) => ({ line: index + 1, fields: raw.replace(/\r$/, '').split(':') }))
    .filter(({ fields }) => fields.length > 1 && !fields[0]?.startsWith('#'));

const numberOf = (field: string | undefined): number | null =>
  field !== undefined && /^-?\d{1,10}$/.test(field) ? Number(field) : null;

/** The accounts of a passwd file; lines that are none are left out. */
export const parsePasswd = (text: string): readonly Account[] =>
  rows(text).flatMap(({ line, fields }) => {
    const [name = '', , uidField, gidField, , home = '', shell = ''] = fields;
    const [uid, gid] = [numberOf(uidField), numberOf(gidField)];
    if (name === '' || uid === null || gid === null || fields.length < 7) return [];
    return [{ line, name, uid, gid, home, shell: shell.trim() }];
  });

/** The entries of a shadow file; a field that is no number counts as empty. */
export const parseShadow = (text: string): readonly ShadowEntry[] =>
  rows(text).map(({ line, fields }) => ({
    line,
    name: fields[0] ?? '',
    password: fields[1] ?? '',
    lastChange: numberOf(fields[2]),
    maxDays: numberOf(fields[4]),
    inactiveDays: numberOf(fields[6]),
    expires: numberOf(fields[7]),
  }));

/** The groups of a group file. */
export const parseGroups = (text: string): readonly Group[] =>
  rows(text).flatMap(({ fields }) => {
    const gid = numberOf(fields[2]);
    const members = (fields[3] ?? '').split(',').filter((member) => member !== '');
    return gid === null ? [] : [{ name: fields[0] ?? '', gid, members }];
  });

/** No password fits: `!` or `*` at the start, which is no hash of crypt(5). */
export const isLocked = (password: string): boolean => /^[!*]/.test(password);

/** Programs that only say goodbye: an account with one of them is not for logging in. */
export const isNoLogin = (shell: string): boolean =>
  /\/(?:nologin|false|true|sync|halt|shutdown|git-shell)$/.test(shell);
