export type InittabEntry = {
  /** Line number in the file, from 1. */
  readonly line: number;
  readonly id: string;
  readonly runlevels: string;
  readonly action: string;
  readonly process: string;
};

/** Parses sysvinit's inittab(5): `id:runlevels:action:process`; other lines are passed over. */
export const parseInittab = (text: string): readonly InittabEntry[] =>
  text.split('\n').flatMap((raw, index) => {
    const line = raw.replace(/\r$/, '');
    const match = /^\s*([^:#\s]{1,4}):([^:]*):([^:]+):(.*)$/.exec(line);
    if (match === null) return [];
    const [, id = '', runlevels = '', action = '', process = ''] = match;
    return [{ line: index + 1, id, runlevels, action: action.trim(), process: process.trim() }];
  });
