import type { Host } from '../host/host.ts';
import type { UndoAction } from '../host/undo-action.ts';
import { gone, type UndoResult, undone } from '../host/undo-result.ts';
import { hookStageSchema } from './hook-input.ts';
import { failureText } from './hook-words.ts';
import { hookStateSchema, runStage } from './hooks.ts';

/** sysexits(3), EX_TEMPFAIL: what the hook should take down is still up, and it may be tried again. */
const tryAgain = 75;

const readState = async (host: Host, file: string) => {
  const text = await host.files.readText(file);
  return text === null ? null : hookStateSchema.parse(JSON.parse(text));
};

/**
 * Runs the hooks of a stage in which things are taken down. One that fails does not stop the rest
 * from coming down, and is not run a second time unless it asks for it with exit code 75.
 *
 * @param allDown whether everything before came down.
 */
export const undoHooks = async (
  host: Host,
  action: Extract<UndoAction, { kind: 'run-hooks' }>,
  allDown: boolean,
): Promise<UndoResult> => {
  const stage = hookStageSchema.parse(action.stage);
  const state = await readState(host, action.file);
  if (state === null) return gone;
  const outcome = stage.startsWith('after-') ? (allDown ? 'done' : 'failed') : null;
  const records = await runStage(host, state, { stage, outcome, onFailure: 'go-on' });
  const failed = records.filter(({ failure }) => failure !== null);
  if (failed.length === 0) return records.length === 0 ? gone : undone;
  const reason = failed.map(failureText).join('; ');
  const again = failed.some(({ exitCode }) => exitCode === tryAgain);
  return { outcome: again ? 'left' : 'failed', reason };
};
