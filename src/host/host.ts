import type { Command, CommandRecord, CommandResult } from './command.ts';
import { type Files, hostFiles } from './files.ts';
import { runCommand } from './run-command.ts';

/**
 * The rescue host as the rest of the code sees it. Passed in as an argument everywhere, so that a
 * test can answer from recorded outputs.
 */
export type Host = {
  readonly run: (command: Command) => Promise<CommandResult>;
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
};

/** The machine that rescuekit runs on. */
export const createHost = (options: HostOptions = {}): Host => {
  const context = {
    onCommand: options.onCommand ?? (() => {}),
    extraEnv: options.env ?? {},
    osRelease: async () => (await hostFiles.readText('/etc/os-release')) ?? '',
  };
  const { signal } = options;
  return {
    run: (command) => runCommand(signal === undefined ? command : { signal, ...command }, context),
    files: hostFiles,
    now: () => new Date(),
  };
};
