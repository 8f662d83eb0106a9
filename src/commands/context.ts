import { z } from 'zod';
import { type CommandRecord, shellLine } from '../host/command.ts';
import { createHost, type Host } from '../host/host.ts';
import { isBelow } from '../host/mount-table.ts';
import { usageError } from '../host/rescue-error.ts';
import { writeAside } from '../output/aside.ts';
import { createObserver } from '../output/progress.ts';
import { jsonText } from '../output/sanitise.ts';
import { describeTerminal, type Terminal } from '../output/terminal.ts';
import { ownRepairsDirectory } from '../repairs/own/directory.ts';
import type { HookMode } from '../rescue/hook-input.ts';
import type { ShowHook } from '../rescue/hook-words.ts';
import { defaultHooks, type HookSettings } from '../rescue/hooks.ts';
import type { Observer } from '../rescue/observer.ts';
import type { SessionOptions } from '../rescue/session.ts';
import { type StatePaths, statePaths } from '../rescue/state-paths.ts';

/** The global options as they were given. */
export const globalSchema = z.object({
  json: z.boolean().default(false),
  yes: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  verbose: z.boolean().default(false),
  color: z.boolean().default(true),
  config: z.string().optional(),
  stateDir: z.string().startsWith('/', '--state-dir wants an absolute path').optional(),
});

export type GlobalOptions = Readonly<z.infer<typeof globalSchema>>;

const configSchema = z.strictObject({
  stateDir: z.string().startsWith('/').optional(),
  color: z.boolean().optional(),
  /** Directory with one directory of hooks per stage. */
  hooksDirectory: z.string().startsWith('/').optional(),
  hookTimeoutSeconds: z.int().min(1).max(86_400).optional(),
  /** Directory with one directory per repair of the person's own. */
  repairsDirectory: z.string().startsWith('/').optional(),
});

/** What every command gets: options, host, terminal, and where to write. */
export type CommandContext = {
  readonly options: GlobalOptions;
  readonly paths: StatePaths;
  readonly host: Host;
  readonly out: Terminal;
  readonly signal: AbortSignal;
  /** Text for a person, on standard output. Nothing under `--json`. */
  readonly print: (text: string) => void;
  /** The JSON document, on standard output. */
  readonly printJson: (document: unknown) => void;
  readonly observer: Observer;
  /** A person is there to be asked. */
  readonly interactive: boolean;
  readonly session: (command: string, target: string, mode?: HookMode) => SessionOptions;
  readonly hooks: HookSettings;
  /** Where the repairs of the person's own are. */
  readonly repairsDirectory: string;
  /** What hooks print, and which of them failed or were not run. */
  readonly showHook: ShowHook;
  readonly isOwnMount: (path: string) => boolean;
};

/** Parses options with zod. @throws RescueError usage (2) naming the option that is wrong. */
export const parseOptions = <T extends z.ZodType>(schema: T, args: unknown): z.infer<T> => {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue?.path.join('.') ?? '';
  throw usageError(
    issue === undefined ? 'The options are wrong.' : `${optionName(name)}: ${issue.message}.`,
    'See rescuekit --help.',
  );
};

const optionName = (name: string): string =>
  name === ''
    ? 'options'
    : `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const defaultConfig = '/etc/rescuekit/config.json';

const readConfig = async (host: Host, file: string | undefined) => {
  const text = await host.files.readText(file ?? defaultConfig);
  if (text === null) {
    if (file === undefined) return {};
    throw usageError(`The configuration file ${file} is not there.`);
  }
  try {
    return configSchema.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : 'it is not JSON';
    throw usageError(`The configuration file ${file ?? defaultConfig} cannot be used: ${why}`);
  }
};

const showCommand = (record: CommandRecord): void => {
  const words = shellLine([record.program, ...record.args]);
  process.stderr.write(
    `  $ ${words}  # exit ${record.exitCode ?? '-'}, ${Math.round(record.milliseconds)} ms\n`,
  );
};

/** @throws RescueError usage (2) for wrong global options or a wrong configuration file. */
export const createContext = async (
  args: unknown,
  signal: AbortSignal,
): Promise<CommandContext> => {
  const given = parseOptions(globalSchema, args);
  const config = await readConfig(createHost(), given.config);
  const options: GlobalOptions = {
    ...given,
    color: given.color && (config.color ?? true),
    stateDir: given.stateDir ?? config.stateDir,
  };
  const out = describeTerminal(process.stdout, process.env, options.color);
  const errors = describeTerminal(process.stderr, process.env, options.color);
  const paths = statePaths(options.stateDir);
  const onCommand = options.verbose ? { onCommand: showCommand } : {};
  const hooks: HookSettings = {
    directory: config.hooksDirectory ?? defaultHooks.directory,
    timeoutSeconds: config.hookTimeoutSeconds ?? defaultHooks.timeoutSeconds,
    run: !options.dryRun,
  };
  const observer = createObserver(errors, {
    quiet: options.json && !options.verbose,
    live: !options.verbose,
  });
  // Hooks are the person's own: what they say is shown also under --json, on standard error.
  const showHook: ShowHook = (text, kind) => {
    if (kind === 'warning') observer.warn(text);
    else writeAside(text);
  };
  return {
    options,
    paths,
    host: createHost({ ...onCommand, signal }),
    out,
    signal,
    print: (text) => {
      if (!options.json) process.stdout.write(text);
    },
    printJson: (document) => {
      if (options.json) process.stdout.write(jsonText(document));
    },
    observer,
    interactive:
      process.stdin.isTTY === true &&
      process.stderr.isTTY === true &&
      !options.json &&
      !options.yes,
    session: (command, target, mode = 'read-only') => ({
      ...{ paths, command, target, signal, mode, hooks, ...onCommand },
      onHookText: showHook,
    }),
    hooks,
    repairsDirectory: config.repairsDirectory ?? ownRepairsDirectory,
    showHook,
    isOwnMount: (path) => isBelow(path, paths.run),
  };
};
