import type { Host } from '../host/host.ts';
import { describeUndo } from '../host/undo-action.ts';
import type { Journal, OpenStep } from './journal.ts';
import { performUndo } from './undo.ts';

export type LeftItem = { readonly what: string; readonly reason: string };

export type TeardownReport = {
  /** What was taken down, in the order in which it came down. */
  readonly removed: readonly string[];
  /** What is still up, with the reason and who holds it. */
  readonly left: readonly LeftItem[];
  /** Hooks that failed while everything came down, each with how it ended. */
  readonly hookFailures: readonly string[];
};

/** Bookkeeping that nobody needs to read about: files and directories of our own, hooks that ran. */
const isPlumbing = (step: OpenStep): boolean =>
  [
    ...['remove-directory', 'remove-file', 'remove-scratch'],
    ...['run-hooks', 'btrfs-registration', 'udev-look-again', 'reread-tables'],
  ].includes(step.undo.kind);

/**
 * Reads the journal backwards and takes down what it names. Goes on after a failure, so that one
 * busy mount does not keep an unrelated device attached; what depends on it fails by itself and is
 * reported with its own reason.
 */
export const tearDown = async (
  host: Host,
  journal: Journal,
  which: (step: OpenStep) => boolean = () => true,
): Promise<TeardownReport> => {
  const removed: string[] = [];
  const left: LeftItem[] = [];
  const hookFailures: string[] = [];
  for (const step of journal.open().filter(which)) {
    const result = await performUndo(host, step.undo, left.length === 0);
    if (result.outcome === 'left') {
      left.push({ what: describeUndo(step.undo), reason: result.reason });
      continue;
    }
    // A directory in which something busy was left is to go with it the next time.
    if (step.undo.kind === 'remove-directory' && left.length > 0) continue;
    await journal.markUndone(step.step);
    if (result.outcome === 'failed') hookFailures.push(result.reason);
    if (result.outcome === 'undone' && !isPlumbing(step)) removed.push(describeUndo(step.undo));
  }
  return { removed, left, hookFailures };
};
