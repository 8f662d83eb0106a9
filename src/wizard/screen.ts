import { shellLine, shellQuote } from '../host/command.ts';
import { plainText } from '../host/plain-text.ts';
import { createStyle } from '../output/style.ts';
import type { View } from '../output/terminal.ts';
import { cutText, textWidth } from '../output/text-width.ts';
import { wrapText } from '../output/wrap.ts';

/** One step as a person sees it before it runs. */
export type StepScreen = {
  /** In the imperative, as it stands after "Next:". */
  readonly title: string;
  readonly commands: readonly (readonly string[])[];
  readonly why: string;
  readonly risk: string;
};

/** With more the question would push the step's title off a screen of 24 lines. */
const shownCommandLines = 9;

/** Something to know that does not stop the walk. */
export const warningLines = (text: string, view: View): string =>
  wrapText(plainText(text), view.columns - 1, 4, '  ! ')
    .map(createStyle(view.colour).warning)
    .join('\n');

/** A command as it could be pasted into a shell, broken between its words with a backslash. */
export const commandLines = (words: readonly string[], columns: number): readonly string[] => {
  const whole = `    ${shellLine(words)}`;
  if (textWidth(whole) <= columns) return [whole];
  const lines: string[] = [];
  let line = '   ';
  for (const word of words.map(shellQuote)) {
    if (textWidth(`${line} ${word} \\`) > columns && line.trim() !== '') {
      lines.push(`${line} \\`);
      line = '       ';
    }
    line = `${line} ${word}`;
  }
  return [...lines, line];
};

const wrapCommands = (screen: StepScreen, columns: number): readonly string[] =>
  screen.commands.flatMap((words) => commandLines(words.map(plainText), columns));

const shortened = (lines: readonly string[], view: View): readonly string[] => {
  if (lines.length <= shownCommandLines) return lines;
  const shown = lines.slice(0, shownCommandLines - 1);
  const rest = lines.length - shown.length;
  return [...shown, createStyle(view.colour).dim(`    and ${rest} more lines: (e) shows them`)];
};

/** Next, the commands, Why, Risk. */
export const renderStep = (screen: StepScreen, view: View): string => {
  const style = createStyle(view.colour);
  const columns = view.columns - 1;
  const [title = '', ...more] = wrapText(screen.title, columns, 8, '  Next: ');
  const paint = (name: string, lines: readonly string[]) =>
    lines.map((line) => line.replace(name, () => style.bold(name)));
  return [
    '',
    title.replace(/^ {2}Next:/, () => `  ${style.accent('Next:')}`),
    ...more,
    ...shortened(wrapCommands(screen, columns), view).map(style.dim),
    ...paint('Why:', wrapText(screen.why, columns, 10, '    Why:  ')),
    ...paint('Risk:', wrapText(screen.risk, columns, 10, '    Risk: ')),
    '',
  ].join('\n');
};

/** What (e) shows: paragraphs, and all commands where the step had to leave some out. */
export const renderExplanation = (
  paragraphs: readonly string[],
  screen: StepScreen,
  view: View,
): string => {
  const columns = view.columns - 1;
  const commands = wrapCommands(screen, columns);
  const hidden = commands.length > shownCommandLines ? ['    All commands:', ...commands] : [];
  return [
    '',
    ...paragraphs.flatMap((text, index) => [
      ...(index === 0 ? [] : ['']),
      ...wrapText(text, columns, 4),
    ]),
    ...hidden,
    '',
  ].join('\n');
};

/** Lines of a checker and the like, from the disk: cleaned, one screen line each. */
export const evidenceLines = (
  lines: readonly string[],
  view: View,
  most: number,
): readonly string[] => {
  const style = createStyle(view.colour);
  const mark = view.unicode ? '…' : '...';
  const rest = lines.length - most;
  return [
    ...lines
      .slice(0, most)
      .map((line) => cutText(`      ${plainText(line)}`, view.columns - 1, mark)),
    ...(rest > 0 ? [`      and ${rest} more`] : []),
  ].map(style.dim);
};

/** For a locale that is not UTF-8; escape sequences of our own colours stay. */
export const asciiOnly = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character of colours
  text.replaceAll('…', '...').replaceAll(/[^\n\r\u001b -~]/gu, '?');
