import { plainText } from '../host/plain-text.ts';
import type { FstabEntry, SystemFacts } from './system-facts.ts';

export type FstabProblem = SystemFacts['fstabProblems'][number];

export type Fstab = {
  readonly entries: readonly FstabEntry[];
  /** Lines that are no entry, or that the boot may read differently, with the reason. */
  readonly problems: readonly FstabProblem[];
};

/** `\040` and its like are bytes, so that a name in UTF-8 may be written as several of them. */
export const decodeField = (field: string): string => {
  if (!field.includes('\\')) return field;
  const bytes: Buffer[] = [];
  for (const part of field.split(/(\\[0-3][0-7]{2})/)) {
    const octal = /^\\([0-3][0-7]{2})$/.exec(part)?.[1];
    bytes.push(octal === undefined ? Buffer.from(part) : Buffer.from([Number.parseInt(octal, 8)]));
  }
  return Buffer.concat(bytes).toString('utf8');
};

/** Writes a field so that it stays one field: blanks, line ends, `#` and backslash as octal. */
export const encodeFstabField = (text: string): string =>
  text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: line ends are what has to be escaped
    /[\u0000- \\#\u007f]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );

const numberReason = 'the fifth or sixth field is no number: mount(8) ignores the whole line';

type Tail = { readonly dump: number; readonly pass: number; readonly reason: string | null };

const tailOf = (fields: readonly string[]): Tail => {
  const [dump = '0', pass = '0', ...more] = fields;
  const numeric = /^-?\d{1,9}$/;
  const reason =
    !numeric.test(dump) || (!pass.startsWith('#') && !numeric.test(pass))
      ? numberReason
      : more.length > 0 && !pass.startsWith('#') && !more[0]?.startsWith('#')
        ? 'there are more than six fields: the rest is ignored'
        : null;
  const value = (text: string): number => (numeric.test(text) ? Number(text) || 0 : 0);
  return { dump: value(dump), pass: value(pass), reason };
};

const targetReason = (target: string): string | null =>
  target.startsWith('/') || target === 'none' || target === 'swap'
    ? null
    : 'the mount point is no absolute path';

/**
 * Options between commas. In a pair of double quotes a comma belongs to the value, as for libmount:
 * `context="system_u:object_r:container_file_t:s0:c1,c2"`. A quote without its second one is plain.
 */
const splitOptions = (text: string): readonly string[] => text.match(/(?:"[^"]*"|[^,])+/g) ?? [];

type ParsedLine = { readonly entry: FstabEntry | null; readonly reasons: readonly string[] };

const parseLine = (text: string, line: number): ParsedLine => {
  const [spec, target, fsType, options, ...rest] = text.split(/[ \t]+/).map(decodeField);
  if (spec === undefined || target === undefined) {
    return { entry: null, reasons: ['there is only one field: no mount point is given'] };
  }
  const tail = tailOf(rest);
  const entry: FstabEntry = {
    line,
    spec,
    target,
    fsType: fsType ?? 'auto',
    options: splitOptions(options ?? 'defaults'),
    dump: tail.dump,
    pass: tail.pass,
  };
  const reasons = [
    fsType === undefined
      ? 'the file system type is missing: mount(8) ignores the line, here `auto` is assumed'
      : null,
    targetReason(target),
    tail.reason,
  ].filter((reason) => reason !== null);
  return { entry, reasons };
};

/**
 * Parses fstab(5) as far as mount(8) and systemd do: fields between blanks or tabs, `#` lines,
 * octal escapes, missing fields from the third on with their defaults. A line end may be CRLF and
 * the text may start with a byte order mark: both come from editing on another machine, break the
 * boot, and are reported.
 */
export const parseFstab = (text: string): Fstab => {
  const entries: FstabEntry[] = [];
  const problems: FstabProblem[] = [];
  const lines = text.replace(/^\ufeff/, '').split('\n');
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const content = raw.replace(/^[ \t]+|[ \t\r]+$/g, '');
    if (content === '' || content.startsWith('#')) continue;
    const { entry, reasons } = parseLine(content, line);
    if (entry !== null) entries.push(entry);
    const marks = [
      index === 0 && text.startsWith('\ufeff') ? 'a byte order mark stands before it' : null,
      raw.endsWith('\r') ? 'it ends with a carriage return (a file from Windows)' : null,
    ].filter((mark) => mark !== null);
    for (const reason of [...reasons, ...marks]) {
      problems.push({ line, text: plainText(content).slice(0, 200), reason });
    }
  }
  return { entries, problems };
};

/** The line that mount(8) would read as this entry. */
export const formatFstabEntry = (entry: FstabEntry): string =>
  [
    encodeFstabField(entry.spec),
    encodeFstabField(entry.target),
    encodeFstabField(entry.fsType),
    encodeFstabField(entry.options.length === 0 ? 'defaults' : entry.options.join(',')),
    String(entry.dump),
    String(entry.pass),
  ].join(' ');

/** A mount point without doubled or trailing slashes and `.` parts; `none` stays as it is. */
export const normalTarget = (target: string): string =>
  target.startsWith('/')
    ? `/${target
        .split('/')
        .filter((part) => part !== '' && part !== '.')
        .join('/')}`
    : target;

/** The entry of the root file system: of several the first one counts. */
export const firstRoot = (entries: readonly FstabEntry[]): FstabEntry | null =>
  entries.find((entry) => normalTarget(entry.target) === '/') ?? null;

const depth = (entry: FstabEntry): number =>
  normalTarget(entry.target)
    .split('/')
    .filter((part) => part !== '').length;

/** Entries in the order in which they can be mounted: a parent before what lies below it. */
export const inMountOrder = (entries: readonly FstabEntry[]): readonly FstabEntry[] =>
  [...entries].sort((one, other) => depth(one) - depth(other) || one.line - other.line);

/** The value of `name=value` in the options (the last one counts); null when it is not given. */
export const optionValue = (options: readonly string[], name: string): string | null =>
  options.findLast((option) => option.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
