import { randomBytes } from 'node:crypto';
import { sessionTmpfs } from '../filesystems/unmount.ts';
import type { CommandRecord } from '../host/command.ts';
import { createHost, type Host } from '../host/host.ts';
import { identify } from '../host/processes.ts';
import { RescueError } from '../host/rescue-error.ts';
import { interruptedError } from '../host/run-command.ts';
import { sessionVariable } from '../host/session-mark.ts';
import type { Step } from '../host/step.ts';
import type { HookMode } from './hook-input.ts';
import { hookObservers, type ShowHook, takeDownHookFailed } from './hook-words.ts';
import {
  defaultHooks,
  type HookParts,
  type HookSettings,
  openHooks,
  type SessionHooks,
} from './hooks.ts';
import { type Journal, type OpenStep, openJournal } from './journal.ts';
import { acquireLock, type LockMode } from './lock.ts';
import { type SessionFile, type SessionRecord, writeSessionFile } from './session-record.ts';
import type { StatePaths } from './state-paths.ts';
import { absoluteName } from './target.ts';
import { type TeardownReport, tearDown } from './teardown.ts';
import { openTranscript, type Transcript } from './transcript.ts';

export type SessionOptions = {
  readonly paths: StatePaths;
  readonly command: string;
  readonly target: string;
  readonly withDisks?: readonly string[];
  readonly system?: string | null;
  /** Aborted by SIGINT, SIGTERM, SIGHUP, or the person's wish to stop. */
  readonly signal: AbortSignal;
  readonly onCommand?: (record: CommandRecord) => void;
  /** The person's hooks; those in /etc/rescuekit/hooks.d when left out. */
  readonly hooks?: HookSettings;
  /** What may be written to the target, as hooks are told at first. Default: nothing. */
  readonly mode?: HookMode;
  readonly onHookText?: ShowHook;
  /** A session that has ended, whose id, directory and journal are taken up again. */
  readonly continues?: SessionRecord;
};

/** One piece of work on a target: what it put up, by which everything comes down again. */
export type Session = {
  readonly id: string;
  /** Where this and all other sessions are. */
  readonly paths: StatePaths;
  /** Kept: journal, transcript, undo files. */
  readonly directory: string;
  /** A private tmpfs for mount points; no other user of the host can enter it. */
  readonly runDirectory: string;
  /** Runs commands for this session; they stop when the session's signal is aborted. */
  readonly host: Host;
  readonly signal: AbortSignal;
  readonly transcript: Transcript;
  readonly hooks: SessionHooks;
  /** Writes the step's undo down, runs its commands; gives a number for `takeDown`. */
  readonly perform: (step: Step) => Promise<number>;
  /** Only writes an undo down, for what is not made by a command. */
  readonly intend: Journal['intend'];
  /** Takes one step down before its turn. @throws RescueError `LEFT_BEHIND` */
  readonly takeDown: (step: number) => Promise<void>;
  /** The number that the next step will have, for `takeDownSince`. */
  readonly mark: () => number;
  /** Takes down all that came up since a mark. @throws RescueError `LEFT_BEHIND`, `HOOK_FAILED` */
  readonly takeDownSince: (mark: number) => Promise<void>;
  /**
   * Numbers (`major:minor`) of devices that are no part of what this session sees: a disk that
   * stands aside while a layer over it takes its place.
   */
  readonly aside: Set<string>;
  readonly lock: (key: string, mode: LockMode) => Promise<void>;
  /** Leaves everything up on purpose when the process ends. */
  readonly keepUp: () => Promise<void>;
  /** Takes everything down, newest first. Never throws for what is left: the report says it. */
  readonly close: () => Promise<TeardownReport>;
};

const newId = async (host: Host, paths: StatePaths): Promise<string> => {
  for (;;) {
    const id = randomBytes(2).toString('hex');
    await host.files.ensureDirectory(paths.sessions, 0o700);
    if ((await host.files.status(`${paths.sessions}/${id}`)) === null) return id;
  }
};

const noteDirectory = (transcript: Transcript, path: string, mode: number): void =>
  transcript.shell(`mkdir --parents --mode=${mode.toString(8)} ${path}`);

/** The run directory with a private tmpfs, each part journalled before it is made. */
const makeRunDirectory = async (
  host: Host,
  paths: StatePaths,
  runDirectory: string,
  perform: Session['perform'],
  journal: Journal,
  transcript: Transcript,
): Promise<void> => {
  await journal.intend('run directory', { kind: 'remove-directory', path: paths.run });
  await host.files.ensureDirectory(paths.run, 0o700);
  await journal.intend('session directory', { kind: 'remove-directory', path: runDirectory });
  // It may still be there when the session is taken up again after a kill.
  await host.files.ensureDirectory(runDirectory, 0o700);
  noteDirectory(transcript, runDirectory, 0o700);
  await perform({
    title: `Make a private place for mount points at ${runDirectory}`,
    commands: [
      {
        program: 'mount',
        // Private: what is mounted below must not spread into the namespaces of host services.
        args: [
          '--make-private',
          '--types',
          'tmpfs',
          '--options',
          'mode=0700,nosuid,nodev',
          sessionTmpfs,
          runDirectory,
        ],
      },
    ],
    why: 'Other users of this machine must not reach the files of the rescued system.',
    risk: 'none',
    undo: { kind: 'unmount', path: runDirectory, source: sessionTmpfs },
  });
};

/** What was named, so that it means the same in any directory. */
const namesOf = ({ target, withDisks = [], continues }: SessionOptions) =>
  continues === undefined
    ? { target: absoluteName(target), withDisks: withDisks.map(absoluteName) }
    : { target, withDisks };

const firstFacts = (
  { command, target, mode }: SessionOptions,
  session: string,
  runDirectory: string,
): HookParts['facts'] => ({
  session,
  command,
  target,
  mode: mode ?? 'read-only',
  root: null,
  devices: [],
  mounts: [],
  system: null,
  runDirectory,
});

/**
 * Starts a session. Everything that is put up from here on is in the journal first.
 *
 * @throws RescueError when the state directory cannot be written.
 */
export const openSession = async (options: SessionOptions): Promise<Session> => {
  const { paths, signal } = options;
  const plain = createHost();
  const { continues } = options;
  const id = continues?.id ?? (await newId(plain, paths));
  const directory = `${paths.sessions}/${id}`;
  const runDirectory = `${paths.run}/${id}`;
  const owner = await identify(plain.files, process.pid);
  if (owner === null) throw new RescueError({ code: 'NO_PROC', message: '/proc is not mounted.' });
  const file: SessionFile = {
    id,
    command: options.command,
    ...namesOf(options),
    system: options.system ?? null,
    createdAt: continues?.createdAt ?? plain.now().toISOString(),
    owner,
    phase: 'running',
    runDirectory,
  };
  if (continues === undefined) await plain.files.makeDirectory(directory, 0o700);
  await writeSessionFile(plain.files, directory, file);
  const journal = await openJournal(plain.files, `${directory}/journal.jsonl`, plain.now);
  const transcript = openTranscript(plain.files, `${directory}/transcript.jsonl`, plain.now);
  const common = {
    onCommand: (record: CommandRecord) => {
      transcript.command(record);
      options.onCommand?.(record);
    },
    env: { [sessionVariable]: id },
    ...hookObservers(transcript, options.onHookText ?? (() => {})),
  };
  const host = createHost({ ...common, signal });
  // Taking down must go on after the abort that caused it.
  const teardownHost = createHost(common);
  const locks: string[] = [];

  const perform = async (step: Step): Promise<number> => {
    if (signal.aborted) throw interruptedError();
    const number = step.undo === null ? -1 : await journal.intend(step.title, step.undo);
    try {
      for (const command of step.commands) await host.run(command);
    } catch (error) {
      // What did not come to be is not held; what did half come to be goes at once.
      if (step.allOrNothing && !signal.aborted) await journal.markUndone(number);
      else if (!signal.aborted)
        await tearDown(teardownHost, journal, ({ step: it }) => it === number);
      throw error;
    }
    return number;
  };
  const close = async (): Promise<TeardownReport> => {
    const report = await tearDown(teardownHost, journal);
    await transcript.flush();
    await writeSessionFile(host.files, directory, { ...file, phase: 'closed' });
    if (report.left.length === 0) for (const path of locks) await host.files.removeFile(path);
    return report;
  };

  const bringDown = async (which: (open: OpenStep) => boolean): Promise<void> => {
    const report = await tearDown(teardownHost, journal, which);
    const [left] = report.left;
    if (left !== undefined) throw leftBehind(left.reason);
    if (report.hookFailures.length > 0) throw takeDownHookFailed(report.hookFailures);
  };

  let hooks: SessionHooks;
  try {
    await makeRunDirectory(host, paths, runDirectory, perform, journal, transcript);
    hooks = await openHooks({
      host,
      signal,
      intend: journal.intend,
      forget: journal.markUndone,
      settings: options.hooks ?? defaultHooks,
      directory,
      facts: firstFacts(options, id, runDirectory),
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    id,
    paths,
    directory,
    runDirectory,
    host,
    signal,
    transcript,
    hooks,
    perform,
    intend: journal.intend,
    takeDown: (step) => bringDown((open) => open.step === step),
    mark: journal.next,
    takeDownSince: (mark) => bringDown((open) => open.step >= mark),
    aside: new Set(),
    lock: async (key, mode) => {
      locks.push(await acquireLock(host.files, paths, { key, session: id, mode }));
    },
    keepUp: async () => {
      await transcript.flush();
      await writeSessionFile(host.files, directory, { ...file, phase: 'up' });
    },
    close,
  };
};

/** Something stayed up: exit code 5. */
export const leftBehind = (reason: string): RescueError =>
  new RescueError({
    code: 'LEFT_BEHIND',
    message: `Not everything could be taken down: ${reason}.`,
    hint: 'End the named processes, then run: rescuekit cleanup',
    exit: 5,
  });
