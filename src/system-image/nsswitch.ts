export const nsswitchPath = '/etc/nsswitch.conf';

/** The line of one database. */
export type SwitchLine = {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** Without comments and without what is to be done on a result (`[NOTFOUND=return]`). */
  readonly services: readonly string[];
};

/** The services that a line names for one database (nsswitch.conf(5)); null without such a line. */
export const servicesOf = (text: string, database: string): SwitchLine | null => {
  const lines = text.split('\n');
  const index = lines.findIndex((line) => new RegExp(`^\\s*${database}\\s*:`).test(line));
  const line = lines[index];
  if (line === undefined) return null;
  const words = (line.split('#')[0] ?? '').replace(/^[^:]*:/, '').replace(/\[[^\]]*\]/g, ' ');
  return { line: index + 1, text: line, services: words.trim().split(/\s+/).filter(Boolean) };
};
