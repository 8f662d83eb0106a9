import { describeHolders, findHolders, type Held } from './holders.ts';
import type { Host } from './host.ts';

/** `gone`: it was not there any more, or never came to be, or is somebody else's now. */
export type UndoResult =
  | { readonly outcome: 'undone' }
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'left'; readonly reason: string }
  /** A person's hook: it was run, did not succeed, and is not run again. */
  | { readonly outcome: 'failed'; readonly reason: string };

export const undone: UndoResult = { outcome: 'undone' };
export const gone: UndoResult = { outcome: 'gone' };

/** The result for something that cannot come down now, naming who holds it. */
export const leftBusy = async (host: Host, what: string, held: Held): Promise<UndoResult> => {
  const holders = await findHolders(host, held);
  const who =
    holders.length === 0
      ? 'the kernel says busy, no process was found'
      : `held by ${describeHolders(holders)}`;
  return { outcome: 'left', reason: `${what} is busy: ${who}` };
};
