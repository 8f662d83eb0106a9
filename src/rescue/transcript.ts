import { z } from 'zod';
import { type CommandRecord, shellLine } from '../host/command.ts';
import type { Files } from '../host/files.ts';
import type { HookRecord } from '../host/run-hook.ts';

export const transcriptEntrySchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('command'),
    at: z.string(),
    words: z.array(z.string()).readonly(),
    /** False when the command only looked. */
    changes: z.boolean(),
    milliseconds: z.number(),
    /** Null when it could not be started or was killed. */
    exitCode: z.int().nullable(),
    /** The exit code is an answer of this program: e2fsck says 1 when it has corrected something. */
    accepted: z.boolean(),
    stderr: z.string(),
  }),
  /** A file or FIFO that rescuekit made itself, as the shell lines that would do the same. */
  z.object({ kind: z.literal('shell'), at: z.string(), text: z.string() }),
  z.object({ kind: z.literal('note'), at: z.string(), text: z.string() }),
  /** A person's own executable. */
  z.object({
    kind: z.literal('hook'),
    at: z.string(),
    stage: z.string(),
    path: z.string(),
    milliseconds: z.number(),
    /** Null when it was ended by a signal, could not be started, or was not run. */
    exitCode: z.int().nullable(),
    /** Why it did not do its work; null when it did. */
    failure: z.string().nullable(),
    /** The last of what it printed. */
    output: z.array(z.string()).readonly(),
  }),
]);

export type TranscriptEntry = z.infer<typeof transcriptEntrySchema>;

/** Everything that a session did, in order. Standard input of commands is never part of it. */
export type Transcript = {
  readonly command: (record: CommandRecord) => void;
  readonly hook: (record: HookRecord) => void;
  readonly shell: (text: string) => void;
  readonly note: (text: string) => void;
  /** Resolves when all is on disk. */
  readonly flush: () => Promise<void>;
};

const stderrKept = 2000;

export const openTranscript = (files: Files, path: string, now: () => Date): Transcript => {
  let pending = Promise.resolve();
  let failure: unknown;
  const write = (entry: TranscriptEntry): void => {
    pending = pending
      .then(() => files.append(path, `${JSON.stringify(entry)}\n`))
      .catch((error: unknown) => {
        failure ??= error;
      });
  };
  return {
    command: (record) =>
      write({
        kind: 'command',
        at: record.startedAt.toISOString(),
        words: [record.program, ...record.args],
        changes: record.changes,
        milliseconds: Math.round(record.milliseconds * 10) / 10,
        exitCode: record.exitCode,
        accepted: record.accepted,
        stderr: record.stderr.slice(-stderrKept),
      }),
    hook: ({ stage, path, startedAt, milliseconds, exitCode, failure, output }) =>
      write({
        kind: 'hook',
        at: startedAt.toISOString(),
        stage,
        path,
        milliseconds: Math.round(milliseconds * 10) / 10,
        exitCode,
        failure,
        output,
      }),
    shell: (text) => write({ kind: 'shell', at: now().toISOString(), text }),
    note: (text) => write({ kind: 'note', at: now().toISOString(), text }),
    flush: async () => {
      await pending;
      if (failure !== undefined) throw failure;
    },
  };
};

/** The entries of a transcript file; a line cut off by a kill is left out. */
export const parseTranscript = (text: string): readonly TranscriptEntry[] =>
  text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      return [transcriptEntrySchema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });

const commented = (text: string): string =>
  text
    .split('\n')
    .map((line) => `# ${line}`)
    .join('\n');

const outcome = (entry: Extract<TranscriptEntry, { kind: 'command' }>): string =>
  `exit ${entry.exitCode ?? 'none (killed or not started)'}, ${entry.milliseconds} ms`;

type HookEntry = Extract<TranscriptEntry, { kind: 'hook' }>;

const hookLines = ({
  stage,
  path,
  milliseconds,
  failure,
  output,
}: HookEntry): readonly string[] => [
  `hook ${stage}: ${path}`,
  `${failure ?? 'exit 0'}, ${milliseconds} ms`,
  ...output.map((line) => `| ${line}`),
];

/** As text: time, command, exit status and duration, with what a failing command said. */
export const renderTranscript = (entries: readonly TranscriptEntry[]): string =>
  entries
    .map((entry) => {
      if (entry.kind === 'note') return `${entry.at}  -- ${entry.text}`;
      if (entry.kind === 'hook') return `${entry.at}  ${hookLines(entry).join('\n    ')}`;
      if (entry.kind === 'shell') return `${entry.at}  $ ${entry.text.split('\n').join('\n    ')}`;
      const said =
        entry.exitCode !== 0 && entry.stderr !== ''
          ? `\n    ${entry.stderr.trimEnd().split('\n').join('\n    ')}`
          : '';
      return `${entry.at}  $ ${shellLine(entry.words)}\n    ${outcome(entry)}${said}`;
    })
    .join('\n');

/**
 * As a shell script that a person could run by hand. Commands that only looked are comments, so
 * are those that failed: what stands there as a command has worked.
 */
export const renderScript = (session: string, entries: readonly TranscriptEntry[]): string =>
  [
    '#!/bin/sh',
    `# What rescuekit did in session ${session}. Read it before you run it: device names may have`,
    '# changed since.',
    'set -eu',
    ...entries.map((entry) => {
      if (entry.kind === 'note') return `\n${commented(entry.text)}`;
      if (entry.kind === 'hook') return `\n${commented(hookLines(entry).join('\n'))}`;
      if (entry.kind === 'shell') return entry.text;
      const line = shellLine(entry.words);
      // set -e would end the script at an exit code that is no failure.
      const tolerated = entry.exitCode === 0 ? '' : ` || [ $? -eq ${entry.exitCode} ]`;
      return entry.changes && entry.accepted
        ? `${line}${tolerated}  # ${outcome(entry)}`
        : `${commented(line)}  (${entry.changes ? outcome(entry) : `looked: ${outcome(entry)}`})`;
    }),
    '',
  ].join('\n');
