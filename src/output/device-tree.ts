import type { Device } from '../devices/device.ts';
import { plainText } from '../host/plain-text.ts';
import { contentWords, hardwareWords, shownName } from './device-words.ts';
import { formatSize } from './size.ts';
import { createStyle, type Style } from './style.ts';
import type { View } from './terminal.ts';
import { asciiText, cutText, padText, textWidth } from './text-width.ts';

export type TreeOptions = View & {
  /** Further words about a device, for instance the system found on it. */
  readonly annotate?: (device: Device) => string | null;
};

type Tone = 'disk' | 'part' | 'protected';

type Row = {
  /** Marker or branches before the name, and what stands there on continued lines. */
  readonly lead: string;
  readonly continued: string;
  readonly name: string;
  readonly size: string;
  readonly words: readonly string[];
  readonly reason: string | null;
  readonly tone: Tone;
};

const signs = {
  unicode: { free: '● ', kept: '○ ', branch: '├─ ', last: '└─ ', bar: '│  ', more: '…' },
  ascii: { free: '* ', kept: 'o ', branch: '|- ', last: '`- ', bar: '|  ', more: '...' },
} as const;

type Signs = (typeof signs)[keyof typeof signs];

/** Longer names (volume group, volume) push their own line to the right and not all others. */
const widestName = 28;

const wordsOf = (device: Device, options: TreeOptions): readonly string[] => [
  ...contentWords(device),
  ...device.mountpoints.map(plainText),
  ...(device.readOnly ? ['read-only'] : []),
  ...[options.annotate?.(device) ?? []].flat().map(plainText),
];

/** The reason stands where it is news: not again below a device that says the same. */
const reasonBelow = (device: Device, parent: Device): string | null =>
  device.protected?.reason === parent.protected?.reason ? null : (device.protected?.reason ?? null);

const childRows = (
  parent: Device,
  indent: string,
  context: { signs: Signs; options: TreeOptions; seen: Set<string> },
): readonly Row[] =>
  parent.children.flatMap((device, index) => {
    const isLast = index === parent.children.length - 1;
    const below = indent + (isLast ? '   ' : context.signs.bar);
    const shown = device.path !== null && context.seen.has(device.path);
    if (device.path !== null) context.seen.add(device.path);
    const row: Row = {
      lead: indent + (isLast ? context.signs.last : context.signs.branch),
      continued: below,
      name: shownName(device),
      size: formatSize(device.sizeBytes),
      words: shown ? ['(shown above)'] : wordsOf(device, context.options),
      reason: shown ? null : reasonBelow(device, parent),
      tone: device.protected === null ? 'part' : 'protected',
    };
    return shown ? [row] : [row, ...childRows(device, below, context)];
  });

const diskRows = (device: Device, sign: Signs, options: TreeOptions, seen: Set<string>): Row[] => {
  const row: Row = {
    lead: device.protected === null ? sign.free : sign.kept,
    continued: device.children.length > 0 ? `  ${sign.bar}` : '  ',
    name: device.kind === 'multipath' ? `/dev/mapper/${shownName(device)}` : (device.path ?? ''),
    size: formatSize(device.sizeBytes),
    words: [...hardwareWords(device), ...wordsOf(device, options)],
    reason: device.protected?.reason ?? null,
    tone: device.protected === null ? 'disk' : 'protected',
  };
  return [row, ...childRows(device, '  ', { signs: sign, options, seen })];
};

/** Pieces set in lines of at most `columns`, with `gap` between two on one line. */
const fill = (
  pieces: readonly string[],
  gap: string,
  columns: number,
  more: string,
): readonly string[] => {
  const lines: string[] = [];
  for (const piece of pieces) {
    const fitted = cutText(piece, columns, more);
    const last = lines.at(-1);
    const joined = last === undefined ? fitted : last + gap + fitted;
    if (last !== undefined && textWidth(joined) <= columns) lines[lines.length - 1] = joined;
    else lines.push(fitted);
  }
  return lines;
};

type Layout = {
  readonly nameWidth: number;
  readonly sizeWidth: number;
  readonly columns: number;
  readonly more: string;
  readonly style: Style;
};

const paintName = (row: Row, name: string, style: Style): string => {
  if (row.tone === 'protected') return style.dim(name);
  if (row.tone === 'part') return name;
  return style.good(name.slice(0, 2)) + style.bold(name.slice(2));
};

const renderRow = (row: Row, layout: Layout): readonly string[] => {
  const { style, more } = layout;
  const quiet = row.tone === 'protected' ? style.dim : (text: string) => text;
  const name = padText(row.lead + row.name, layout.nameWidth);
  const size = `  ${row.size.padStart(layout.sizeWidth)}`;
  const indent = layout.nameWidth + layout.sizeWidth + 4;
  const room = Math.max(layout.columns - indent, 16);
  const words = fill(row.words, '  ', room, more).map(quiet);
  const reasons = fill(row.reason?.split(' ') ?? [], ' ', room, more).map(style.warning);
  const head = paintName(row, name, style) + quiet(size);
  const [first, ...others] = [...words, ...reasons];
  const fits = textWidth(name) <= layout.nameWidth && first !== undefined;
  const below = fits || first === undefined ? others : [first, ...others];
  return [
    fits ? `${head}  ${first}` : head,
    ...below.map((text) => quiet(padText(row.continued, indent)) + text),
  ];
};

const toAscii = (row: Row): Row => ({
  ...row,
  name: asciiText(row.name),
  words: row.words.map(asciiText),
  reason: row.reason === null ? null : asciiText(row.reason),
});

/**
 * The devices as a tree of lines, without a newline at the end. `●` may be chosen, `○` is protected
 * and says why. No line is longer than `columns` where that is 60 or more and names are not longer
 * than that.
 */
export const renderDeviceTree = (devices: readonly Device[], options: TreeOptions): string => {
  const sign = options.unicode ? signs.unicode : signs.ascii;
  const seen = new Set<string>();
  const all = devices.flatMap((device) => diskRows(device, sign, options, seen));
  const rows = options.unicode ? all : all.map(toAscii);
  const nameWidths = rows.map((row) => textWidth(row.lead + row.name));
  const layout: Layout = {
    nameWidth: Math.max(0, ...nameWidths.filter((width) => width <= widestName)),
    sizeWidth: Math.max(0, ...rows.map((row) => row.size.length)),
    columns: options.columns,
    more: sign.more,
    style: createStyle(options.colour),
  };
  return rows.flatMap((row) => renderRow(row, layout)).join('\n');
};
