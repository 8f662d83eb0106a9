import { z } from 'zod';
import { plainText } from '../host/plain-text.ts';
import { usageError } from '../host/rescue-error.ts';
import { renderRehearsal } from '../output/rehearsal-report.ts';
import { meansSchema, phaseSchema, type RehearsalRecord } from '../rehearsal/record.ts';
import { reportSchema } from '../rehearsal/report.ts';
import type { RehearsalChoice, RehearsalOptions } from '../rescue/rehearse.ts';
import { isSeenToFail } from '../verification/proof.ts';
import type { CommandContext } from './context.ts';

export const rehearseSchema = z.object({
  rehearse: z.boolean().default(false),
  onSuccess: z.enum(['commit', 'keep', 'drop']).optional(),
});

type Given = z.infer<typeof rehearseSchema>;

/** What the JSON documents tell of a rehearsal. */
export const rehearsalSchema = z.object({
  means: meansSchema,
  /** What became of the layer. */
  phase: phaseSchema,
  ...reportSchema.shape,
  /** What an undo could not put back on the disks. */
  notPutBack: z.array(z.string()).readonly(),
});

export const rehearsalDocument = ({
  means,
  phase,
  report,
  notPutBack = [],
}: RehearsalRecord): z.infer<typeof rehearsalSchema> | null =>
  report === null ? null : { means, phase, ...report, notPutBack };

/** @throws RescueError usage (2) */
export const requireRehearse = ({ rehearse, onSuccess }: Given): void => {
  if (onSuccess === undefined || rehearse) return;
  throw usageError('--on-success says what becomes of a layer.', 'Add --rehearse.');
};

const ask = async (context: CommandContext): Promise<RehearsalChoice> => {
  const { askRehearsal } = await import('../wizard/ask-rehearsal.ts');
  return askRehearsal(context);
};

/**
 * Shows what has changed, and asks what becomes of it where somebody can be asked. Without a word
 * nothing is written to the disks and nothing is thrown away.
 */
export const decideFrom =
  ({ onSuccess }: Given, context: CommandContext): RehearsalOptions<unknown>['decide'] =>
  async (report) => {
    if (!context.options.json) process.stderr.write(`${renderRehearsal(report, context.out)}\n`);
    if (onSuccess !== undefined) return report.succeeded ? onSuccess : 'keep';
    return context.interactive ? ask(context) : 'keep';
  };

/** Not seen to boot, and so not written to the disks; a person may have done so all the same. */
export const isKeptBack = (record: RehearsalRecord | null): boolean => {
  const { proof = null, succeeded } = record?.report ?? {};
  return succeeded === false && (isSeenToFail(proof) || record?.phase !== 'committed');
};

/** What became of the layer, as the last words of a command. */
export const renderOutcome = (
  { phase, notPutBack = [] }: RehearsalRecord,
  session: string,
): string => {
  switch (phase) {
    case 'committed':
      return `  The layer is on the disks. Take it back: rescuekit undo ${session}\n`;
    case 'dropped':
      return notPutBack.length === 0
        ? '  The layer is dropped. The disks are as they were.\n'
        : `  The layer is dropped. On the disks stays what could not be put back: ${notPutBack.map(plainText).join(', ')}.\n`;
    default:
      return `  The layer is kept, and the disks are as they were.\n  Decide with: rescuekit rehearse ${session} --commit, or --drop\n`;
  }
};
