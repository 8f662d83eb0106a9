import { shellQuote } from '../host/command.ts';
import { plainText } from '../host/plain-text.ts';
import { outcomeWord } from '../output/check-report.ts';
import { createStyle } from '../output/style.ts';
import type { View } from '../output/terminal.ts';
import { wrapText } from '../output/wrap.ts';
import type { Target } from '../rescue/target.ts';
import type { TeardownReport } from '../rescue/teardown.ts';
import { callName, type WalkRecord } from './walk.ts';

export type Ending = {
  readonly target: Target;
  readonly session: string;
  readonly teardown: TeardownReport;
  /** `--state-dir` as the commands shown need it; null for the usual place. */
  readonly stateDirectory: string | null;
};

const counted = (record: WalkRecord, word: string): string | null => {
  const count = record.checks.filter((result) => outcomeWord(result) === word).length;
  return count === 0 ? null : `${count} ${word}`;
};

const checkedText = (record: WalkRecord): readonly string[] => {
  const total = record.checks.length;
  if (total === 0) return [];
  const words = ['clean', 'repaired', 'not replayed', 'damaged', 'skipped'];
  const parts = words.flatMap((word) => counted(record, word) ?? []);
  return [`Checked ${total} file system${total === 1 ? '' : 's'}: ${parts.join(', ')}.`];
};

const bootedText = ({ boot, mounted }: WalkRecord, name: string): readonly string[] => {
  if (mounted === null) return [];
  const kept =
    mounted.mode === 'write' ? 'What you changed is on the disk.' : 'Nothing of it was kept.';
  if (boot === null) return [`Mounted ${name}, not booted. ${kept}`];
  if (boot.reachedTarget === false) return [`${name} did not reach rescue.target. ${kept}`];
  const time = boot.bootSeconds === null ? '' : ` in ${boot.bootSeconds.toFixed(1)} s`;
  return [`Booted ${name}${time}, and it is shut down again. ${kept}`];
};

/** What was done, one sentence each. */
export const doneSentences = (record: WalkRecord, target: Target): readonly string[] => {
  const { mended } = record;
  const written =
    mended > 0 ||
    record.mounted !== null ||
    record.checks.some(({ outcome }) => outcome === 'repaired');
  return [
    ...checkedText(record),
    ...(mended === 0 ? [] : [`Made ${mended} repair${mended === 1 ? '' : 's'} on the disk.`]),
    ...bootedText(record, callName(record.system, target)),
    ...(written ? [] : ['Nothing was changed.']),
  ];
};

/** "/dev/vdb is safe to detach", or what there is to say about a file or directory. */
export const freeSentence = ({ kind, name }: Target): string => {
  if (kind === 'device') return `${name} is safe to detach.`;
  return kind === 'image' ? `${name} is free again.` : `${name} is as free as before.`;
};

const command = (words: string, { stateDirectory }: Ending): string =>
  `rescuekit ${words}${stateDirectory === null ? '' : ` --state-dir ${shellQuote(stateDirectory)}`}`;

const leftLines = (ending: Ending, view: View): readonly string[] => {
  const style = createStyle(view.colour);
  return [
    style.bad('  Not everything could be taken down:'),
    ...ending.teardown.left.flatMap(({ what, reason }) =>
      wrapText(`${plainText(what)}: ${plainText(reason)}`, view.columns - 1, 6, '    - '),
    ),
    `  End what holds it, then: ${command(`cleanup ${ending.session}`, ending)}`,
  ];
};

const undoLines = (record: WalkRecord): readonly string[] =>
  record.checks.flatMap(({ undoFile, device }) =>
    undoFile === null
      ? []
      : [
          '  Take the repair back (while nothing else was written):',
          `    e2undo ${undoFile} ${device}`,
        ],
  );

/** The last words: what was done, what is left, where the record is. */
export const renderEnding = (record: WalkRecord, ending: Ending, view: View): string => {
  const style = createStyle(view.colour);
  const down =
    ending.teardown.left.length > 0
      ? leftLines(ending, view)
      : [`  Nothing is left attached or mounted. ${style.good(freeSentence(ending.target))}`];
  return [
    '',
    `  ${style.bold('Done.')}`,
    ...doneSentences(record, ending.target).flatMap((text) => wrapText(text, view.columns - 1)),
    ...down,
    ...undoLines(record),
    ...(record.mended === 0
      ? []
      : [
          `  Take the repairs back: ${command(`undo ${ending.session}`, ending)}`,
          `  Watch it boot: ${command(`verify ${shellQuote(ending.target.name)}`, ending)}`,
        ]),
    `  Transcript: ${command(`status --transcript ${ending.session}`, ending)}`,
  ].join('\n');
};

/** After Esc, Ctrl-C or a signal, when everything came down. */
export const renderStopped = (
  target: Target | null,
  session: string | null,
  ending: Pick<Ending, 'stateDirectory'>,
): string => {
  if (target === null || session === null) return '\n  Stopped. Nothing was changed.';
  const rest = {
    ...ending,
    target,
    session,
    teardown: { removed: [], left: [], hookFailures: [] },
  };
  return [
    '',
    `  Stopped. Everything is taken down. ${freeSentence(target)}`,
    `  Transcript: ${command(`status --transcript ${session}`, rest)}`,
  ].join('\n');
};
