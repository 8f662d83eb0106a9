import { RescueError } from '../host/rescue-error.ts';
import { interruptedError } from '../host/run-command.ts';
import { takeDownHookFailed } from './hook-words.ts';
import { leftBehind, openSession, type Session, type SessionOptions } from './session.ts';
import type { TeardownReport } from './teardown.ts';

export type SessionOutcome<T> = {
  readonly result: T;
  readonly session: string;
  readonly teardown: TeardownReport;
};

/** What a job wants to become of its session when it has succeeded. */
export type JobEnd<T> = { readonly result: T; readonly keepUp: boolean };

const nothingDone: TeardownReport = { removed: [], left: [], hookFailures: [] };

const closeAfterFailure = async (session: Session, failure: unknown): Promise<never> => {
  session.transcript.note('The job did not succeed; everything is taken down.');
  const { left } = await session.close();
  const [first] = left;
  if (first !== undefined) {
    throw new RescueError({
      code: 'LEFT_BEHIND',
      message: `${failure instanceof Error ? `${failure.message} ` : ''}Not everything could be taken down: ${left.map(({ reason }) => reason).join('; ')}.`,
      hint: `End the named processes, or what was cut off, then run: rescuekit cleanup ${session.id}`,
      exit: 5,
      cause: failure,
    });
  }
  throw session.signal.aborted ? interruptedError() : failure;
};

/**
 * Runs a job in a session of its own and takes everything down afterwards, whatever happens.
 *
 * @throws RescueError `LEFT_BEHIND` (5) when something could not be taken down after a failure,
 *   `INTERRUPTED` (130), or what the job threw. After success what is left is in `teardown`.
 */
export const withSession = async <T>(
  options: SessionOptions,
  job: (session: Session) => Promise<JobEnd<T>>,
): Promise<SessionOutcome<T>> => {
  const session = await openSession(options);
  let end: JobEnd<T>;
  try {
    // The first hooks and their counterparts: the latter run when everything else is down.
    await session.hooks.atTakeDown('after-deactivate');
    await session.hooks.run('before-probe');
    end = await job(session);
    if (session.signal.aborted) throw interruptedError();
  } catch (error) {
    return closeAfterFailure(session, error);
  }
  if (end.keepUp) {
    await session.keepUp();
    return { result: end.result, session: session.id, teardown: nothingDone };
  }
  const teardown = await session.close();
  return { result: end.result, session: session.id, teardown };
};

/** What was wrong with a teardown after success; null when nothing was. */
export const teardownFailure = ({ left, hookFailures }: TeardownReport): RescueError | null => {
  if (left.length > 0) return leftBehind(left.map(({ reason }) => reason).join('; '));
  return hookFailures.length > 0 ? takeDownHookFailed(hookFailures) : null;
};

/**
 * @throws RescueError `LEFT_BEHIND` (5) when the teardown left something, `HOOK_FAILED` (1) when a
 *   hook failed in it.
 */
export const requireAllDown = (teardown: TeardownReport): void => {
  const failure = teardownFailure(teardown);
  if (failure !== null) throw failure;
};
