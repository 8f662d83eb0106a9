import type { Command } from './command.ts';
import type { UndoAction } from './undo-action.ts';

/**
 * One thing that is done, described before it is done. `--dry-run`, the wizard's explanations, the
 * progress list, the journal and the transcript are all made from steps.
 */
export type Step = {
  /** What is done, in the imperative: "Attach disk.img as a loop device". */
  readonly title: string;
  /** The exact commands, run one after the other. */
  readonly commands: readonly Command[];
  /** Why it is needed, one sentence for a person. */
  readonly why: string;
  /** What it may change or break; "none" when it only looks. */
  readonly risk: string;
  /** What takes it down again, written to the journal before the commands run. */
  readonly undo: UndoAction | null;
  /**
   * When its command fails nothing was put up. The undo must then not be tried: it could take down
   * the same thing that another session was quicker to make.
   */
  readonly allOrNothing?: true;
};
