import { z } from 'zod';
import { listHooks } from '../host/hook-files.ts';
import type { Host } from '../host/host.ts';
import { interruptedError } from '../host/run-command.ts';
import type { HookRecord } from '../host/run-hook.ts';
import type { UndoAction } from '../host/undo-action.ts';
import {
  type HookFacts,
  type HookInput,
  type HookStage,
  hookEnvironment,
  hookFactsSchema,
  hookStages,
} from './hook-input.ts';
import { hookFailed } from './hook-words.ts';

export const defaultHooksDirectory = '/etc/rescuekit/hooks.d';
export const defaultHookSeconds = 60;

/** Where a person's hooks are and how they are run. */
export type HookSettings = {
  /** Absolute path of the directory that has one directory per stage. */
  readonly directory: string;
  /** Seconds for each hook. */
  readonly timeoutSeconds: number;
  /** False for `--dry-run`: none is run. */
  readonly run: boolean;
};

export const defaultHooks: HookSettings = {
  directory: defaultHooksDirectory,
  timeoutSeconds: defaultHookSeconds,
  run: true,
};

/** What the hooks need when everything is taken down, perhaps by another process. */
export const hookStateSchema = z.object({
  directory: z.string(),
  timeoutSeconds: z.number(),
  facts: hookFactsSchema,
});

export type HookState = z.infer<typeof hookStateSchema>;

type Outcome = HookInput['outcome'];

export type StageRun = {
  readonly stage: HookStage;
  readonly outcome: Outcome;
  /** What is taken down goes on: another hook may have something of its own to take down. */
  readonly onFailure: 'stop' | 'go-on';
};

/** The hooks of one session. Without any, nothing is read or written. */
export type SessionHooks = {
  /** Adds to what hooks are told from here on. */
  readonly tell: (facts: Partial<HookFacts>) => Promise<void>;
  /**
   * Runs the hooks of a stage in the order of their names.
   *
   * @returns whether any has run: devices and mounts may be others now.
   * @throws RescueError `HOOK_FAILED` (1), `INTERRUPTED` (130).
   */
  readonly run: (stage: HookStage, outcome?: Outcome) => Promise<boolean>;
  /**
   * Writes down that the hooks of a stage run when what comes next has been taken down, also after
   * a failure or `kill -9`. Gives the number of the step, null without such hooks.
   */
  readonly atTakeDown: (stage: HookStage) => Promise<number | null>;
  /** The hooks of some stages as they stand now, for the explanations of the guided walk. */
  readonly lines: (...stages: readonly HookStage[]) => Promise<readonly (readonly string[])[]>;
  /** Runs them now instead. @throws RescueError `HOOK_FAILED` (1), `INTERRUPTED` (130). */
  readonly finish: (step: number, stage: HookStage, outcome: Outcome) => Promise<void>;
};

/** Runs the hooks of one stage; what is not run for safety is not among the records. */
export const runStage = async (
  host: Host,
  state: HookState,
  { stage, outcome, onFailure }: StageRun,
): Promise<readonly HookRecord[]> => {
  const input: HookInput = { schemaVersion: 1, stage, ...state.facts, outcome };
  const records: HookRecord[] = [];
  for (const path of await listHooks(host.files, `${state.directory}/${stage}`)) {
    const record = await host.runHook({
      stage,
      path,
      env: hookEnvironment(input),
      input: `${JSON.stringify(input)}\n`,
      timeoutSeconds: state.timeoutSeconds,
    });
    if (!record.refused) records.push(record);
    if (!record.refused && record.failure !== null && onFailure === 'stop') break;
  }
  return records;
};

/** The hooks of some stages as they would run now, each as the words of a command. */
export const hookLines = async (
  host: Host,
  { directory }: Pick<HookSettings, 'directory'>,
  stages: readonly HookStage[],
): Promise<readonly (readonly string[])[]> => {
  const present = new Set((await host.files.list(directory)) ?? []);
  const lines: string[][] = [];
  for (const stage of stages.filter((name) => present.has(name))) {
    const hooks = await listHooks(host.files, `${directory}/${stage}`);
    lines.push(...hooks.map((hook) => [hook]));
  }
  return lines;
};

export type HookParts = {
  readonly host: Host;
  readonly signal: AbortSignal;
  readonly intend: (title: string, undo: UndoAction) => Promise<number>;
  /** Takes a step out of the journal whose work is done. */
  readonly forget: (step: number) => Promise<void>;
  readonly settings: HookSettings;
  /** The session's directory that is kept. */
  readonly directory: string;
  readonly facts: Omit<HookFacts, 'hookDirectory'>;
};

const stagesIn = async ({ host, settings }: HookParts): Promise<ReadonlySet<string>> => {
  const names = settings.run ? await host.files.list(settings.directory) : null;
  return new Set((names ?? []).filter((name) => hookStages.some((stage) => stage === name)));
};

const noHooks: SessionHooks = {
  tell: async () => {},
  run: async () => false,
  atTakeDown: async () => null,
  finish: async () => {},
  lines: async () => [],
};

const requireSuccess = (records: readonly HookRecord[]): void => {
  const failed = records.find(({ failure }) => failure !== null);
  if (failed !== undefined) throw hookFailed(failed);
};

/** Finds out which stages have hooks: one directory is read. */
export const openHooks = async (parts: HookParts): Promise<SessionHooks> => {
  const { host, signal, settings, directory } = parts;
  const stages = await stagesIn(parts);
  if (stages.size === 0) return noHooks;
  const hookDirectory = `${directory}/hooks`;
  const file = `${directory}/hooks.json`;
  const { directory: hooksDirectory, timeoutSeconds } = settings;
  let facts: HookFacts = { ...parts.facts, hookDirectory };
  const state = (): HookState => ({ directory: hooksDirectory, timeoutSeconds, facts });
  const save = () => host.files.writeText(file, `${JSON.stringify(state(), null, 2)}\n`, 0o600);
  const runNow = async (run: StageRun): Promise<readonly HookRecord[]> => {
    if (signal.aborted) throw interruptedError();
    const records = await runStage(host, state(), run);
    if (signal.aborted) throw interruptedError();
    return records;
  };
  await host.files.ensureDirectory(hookDirectory, 0o700);
  await save();
  return {
    tell: async (more) => {
      facts = { ...facts, ...more };
      await save();
    },
    run: async (stage, outcome = null) => {
      if (!stages.has(stage)) return false;
      const records = await runNow({ stage, outcome, onFailure: 'stop' });
      requireSuccess(records);
      return records.length > 0;
    },
    atTakeDown: async (stage) =>
      stages.has(stage)
        ? parts.intend(`Run the hooks of ${stage}`, { kind: 'run-hooks', stage, file })
        : null,
    lines: (...stages) => hookLines(host, settings, stages),
    finish: async (step, stage, outcome) => {
      // Stopped in the middle, they stay in the journal and run again when all is taken down.
      const records = await runNow({ stage, outcome, onFailure: 'go-on' });
      await parts.forget(step);
      requireSuccess(records);
    },
  };
};
