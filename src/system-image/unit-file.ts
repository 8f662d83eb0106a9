/** An assignment of a unit file; continued lines are joined. */
export type UnitEntryLine = {
  readonly line: number;
  readonly section: string;
  readonly key: string;
  readonly value: string;
};

export type UnitProblem = {
  readonly line: number;
  readonly text: string;
  readonly reason: string;
  /** systemd refuses the whole file for it; otherwise it passes over the line. */
  readonly fatal: boolean;
};

export type UnitFile = {
  readonly entries: readonly UnitEntryLine[];
  readonly problems: readonly UnitProblem[];
};

/** Sections of all kinds of units (systemd.unit(5)); `X-` is everybody's own. */
const sections =
  /^(?:Unit|Install|Service|Socket|Device|Mount|Automount|Swap|Target|Path|Timer|Slice|Scope|X-.*)$/;

type Logical = { readonly line: number; readonly text: string };

const isComment = (text: string): boolean => /^\s*[#;]/.test(text);

/** Lines that end in a backslash go on in the next one; comments between them are passed over. */
const logicalLines = (text: string): readonly Logical[] => {
  const found: Logical[] = [];
  let open: Logical | null = null;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '');
    if (open !== null && isComment(line)) continue;
    const start: Logical = open ?? { line: index + 1, text: '' };
    const goesOn = line.endsWith('\\') && !isComment(line);
    const joined: Logical = {
      line: start.line,
      text: `${start.text}${goesOn ? `${line.slice(0, -1)} ` : line}`,
    };
    if (goesOn) open = joined;
    else {
      found.push(joined);
      open = null;
    }
  }
  return open === null ? found : [...found, open];
};

/** Parses a unit file or drop-in the way systemd does (conf-parser.c). */
export const parseUnitFile = (text: string): UnitFile => {
  const entries: UnitEntryLine[] = [];
  const problems: UnitProblem[] = [];
  let section = '';
  for (const { line, text: raw } of logicalLines(text.replace(/^\ufeff/, ''))) {
    const trimmed = raw.trim();
    const problem = (reason: string, fatal = false): void => {
      problems.push({ line, text: trimmed, reason, fatal });
    };
    if (trimmed === '' || isComment(trimmed)) continue;
    if (trimmed.startsWith('[')) {
      const name = /^\[([^\]]+)\]$/.exec(trimmed)?.[1];
      if (name === undefined) problem('is no section header', true);
      else if (!sections.test(name)) problem(`names the section ${name}, which does not exist`);
      section = name ?? section;
      continue;
    }
    const at = trimmed.indexOf('=');
    if (section === '') problem('stands before the first section');
    else if (at <= 0) problem('has no "="');
    else {
      entries.push({
        line,
        section,
        key: trimmed.slice(0, at).trim(),
        value: trimmed.slice(at + 1).trim(),
      });
    }
  }
  return { entries, problems };
};

/** Values of a list setting: each assignment adds words, an empty one takes back all before it. */
export const listValues = (
  entries: readonly UnitEntryLine[],
  section: string,
  key: string,
): readonly string[] => {
  let values: string[] = [];
  for (const entry of entries) {
    if (entry.section !== section || entry.key !== key) continue;
    if (entry.value === '') values = [];
    else values.push(...entry.value.split(/\s+/));
  }
  return values;
};

/** The last assignment of a setting; null without one. */
export const lastValue = (
  entries: readonly UnitEntryLine[],
  section: string,
  key: string,
): string | null =>
  entries.findLast((entry) => entry.section === section && entry.key === key)?.value ?? null;
