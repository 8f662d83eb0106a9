import type { ChangeView } from '../changes/describe-change.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { plainText } from '../host/plain-text.ts';
import type { AppliedRepair, RefusedRepair } from '../rescue/apply-repairs.ts';
import { createStyle, type Style } from './style.ts';
import type { View } from './terminal.ts';
import { cutText } from './text-width.ts';
import { wrapText } from './wrap.ts';

/** A diff longer than this is nothing that a person reads on a terminal; `--json` has all of it. */
const linesShown = 40;

const paintDiff = (line: string, style: Style): string => {
  if (line.startsWith('+')) return style.good(line);
  return line.startsWith('-') ? style.bad(line) : style.dim(line);
};

const renderChange = ({ path, diff }: ChangeView, view: View, style: Style): readonly string[] => {
  const isText = diff[0]?.startsWith('---') === true;
  const shown = diff.slice(0, linesShown).map((line) => cutText(line, view.columns - 7, '…'));
  const more = diff.length > linesShown ? [`(${diff.length - linesShown} lines more)`] : [];
  const head = isText ? [] : [`    ${plainText(path)}`];
  return [...head, ...[...shown, ...more].map((line) => `      ${paintDiff(line, style)}`)];
};

const places = { layer: 'a copy', disk: 'the disk' } as const;

const renderApplied = (
  { id, title, changes, commands, commandsOn, irreversible }: AppliedRepair,
  view: View,
  style: Style,
): readonly string[] => [
  `  ${style.bold(plainText(title))}  ${style.dim(id)}`,
  ...commands.map((words) =>
    style.dim(`    on ${places[commandsOn]}: ${plainText(words.join(' '))}`),
  ),
  ...(irreversible === null
    ? []
    : wrapText(`undo cannot take this back: ${plainText(irreversible)}.`, view.columns - 1, 4).map(
        style.warning,
      )),
  ...changes.flatMap((change) => renderChange(change, view, style)),
  '',
];

const renderRefused = (
  { id, reason, hint }: RefusedRepair,
  view: View,
  style: Style,
): readonly string[] => [
  ...wrapText(`Not done: ${plainText(reason)}`, view.columns - 1),
  ...wrapText(`${plainText(hint)} ${style.dim(id)}`.trim(), view.columns - 1, 4),
];

/** What was (or would be) changed, repair by repair, and what was not done. */
export const renderRepairs = (
  applied: readonly AppliedRepair[],
  refused: readonly RefusedRepair[],
  view: View,
): string => {
  const style = createStyle(view.colour);
  const lines = [
    ...applied.flatMap((repair) => renderApplied(repair, view, style)),
    ...refused.flatMap((repair) => renderRefused(repair, view, style)),
  ];
  return lines.length === 0 ? '' : `\n${lines.join('\n')}\n`;
};

/** What is left to be mended by hand, one line each. */
export const renderRemaining = (remaining: readonly Finding[], view: View): string => {
  const style = createStyle(view.colour);
  if (remaining.length === 0) return `  ${style.good('No finding is left.')}\n`;
  const lines = remaining.flatMap(({ severity, title, id }) =>
    wrapText(`${severity}: ${plainText(title)} (${id})`, view.columns - 1, 4),
  );
  return `  Still so:\n${lines.join('\n')}\n`;
};
