import type { Command, CommandRecord, CommandResult } from './command.ts';
import { type Files, hostFiles } from './files.ts';
import { runCommand } from './run-command.ts';
import { type HookCommand, type HookRecord, runHook } from './run-hook.ts';

/**
 * The rescue host as the rest of the code sees it. Passed in as an argument everywhere, so that a
 * test can answer from recorded outputs.
 */
export type Host = {
  readonly run: (command: Command) => Promise<CommandResult>;
  /** Runs an executable of the person's own; how it ended is the answer. Does not throw for that. */
  readonly runHook: (hook: HookCommand) => Promise<HookRecord>;
  readonly files: Files;
  readonly now: () => Date;
};

export type HostOptions = {
  /** Sees every command after it ended: transcript and `--verbose`. */
  readonly onCommand?: (record: CommandRecord) => void;
  /** Environment that every started process carries, by which `cleanup` finds it again. */
  readonly env?: Readonly<Record<string, string>>;
  /** Cancels every command that does not bring its own signal. */
  readonly signal?: AbortSignal;
  /** Sees every hook after it ended. */
  readonly onHook?: (record: HookRecord) => void;
  /** Sees each line that a hook prints, as it comes. */
  readonly onHookLine?: (hook: HookCommand, line: string) => void;
};

/** The machine that rescuekit runs on. */
export const createHost = (options: HostOptions = {}): Host => {
  const context = {
    onCommand: options.onCommand ?? (() => {}),
    extraEnv: options.env ?? {},
    osRelease: async () => (await hostFiles.readText('/etc/os-release')) ?? '',
  };
  const { signal } = options;
  const hooks = {
    extraEnv: context.extraEnv,
    onHook: options.onHook ?? (() => {}),
    onHookLine: options.onHookLine ?? (() => {}),
    signal,
  };
  return {
    run: (command) => runCommand(signal === undefined ? command : { signal, ...command }, context),
    runHook: (hook) => runHook(hook, hooks),
    files: hostFiles,
    now: () => new Date(),
  };
};
