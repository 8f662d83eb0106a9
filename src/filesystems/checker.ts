import type { CommandResult } from '../host/command.ts';
import type { CheckContext, CheckProgress } from './file-system.ts';

/** More than enough to judge by; a badly damaged disk gives millions of lines. */
const maxKeptLines = 200;

export type CheckerCommand = {
  readonly program: string;
  readonly args: readonly string[];
  /** Exit codes with which the program gives a verdict. */
  readonly accept: readonly number[];
  /** True when it writes to the attached disk. */
  readonly changes: boolean;
  readonly progressFd?: true;
};

/** How the output of one checker is read. */
export type CheckerOutput = {
  /** Lines that say something about the disk; all others are headings, counters and prompts. */
  readonly isFinding: (line: string) => boolean;
  /** Progress from a line, or null when the line is about something else. */
  readonly progress: (line: string) => CheckProgress | null;
};

export type CheckerRun = {
  readonly exitCode: number;
  /** The first findings, as printed: they may hold control characters. */
  readonly findings: readonly string[];
  /** All findings, the ones that were not kept included. */
  readonly findingCount: number;
};

type ContextOfRun = Pick<CheckContext, 'host' | 'onProgress' | 'signal'>;

/** Runs a checker to its end, without a time limit: a big disk takes hours. */
export const runChecker = async (
  context: ContextOfRun,
  command: CheckerCommand,
  output: CheckerOutput,
): Promise<CheckerRun> => {
  const findings: string[] = [];
  let findingCount = 0;
  const { exitCode } = await runTool(context, {
    ...command,
    keepOutput: false,
    onLine: (line) => {
      const progress = output.progress(line);
      if (progress !== null) context.onProgress(progress);
      else if (output.isFinding(line)) {
        findingCount += 1;
        if (findings.length < maxKeptLines) findings.push(line);
      }
    },
  });
  return { exitCode, findings, findingCount };
};

type ToolCommand = Omit<Parameters<CheckContext['host']['run']>[0], 'signal' | 'timeoutSeconds'>;

/** Runs a tool of a file system without a time limit, under the person's signal. */
export const runTool = (
  { host, signal }: Pick<CheckContext, 'host' | 'signal'>,
  command: ToolCommand,
): Promise<CommandResult> =>
  host.run({ ...command, timeoutSeconds: 0, ...(signal === undefined ? {} : { signal }) });
