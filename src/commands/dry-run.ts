import { z } from 'zod';
import { shellLine } from '../host/command.ts';
import type { CommandContext } from './context.ts';

/** The JSON document of `--dry-run`: each command as its words. */
export const dryRunDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  plan: z.array(z.array(z.string()).readonly()).readonly(),
});

/** Shows what would be run; under `--json` as a document. */
export const printCommands = (
  context: CommandContext,
  lines: readonly (readonly string[])[],
): void => {
  context.printJson({ schemaVersion: 1, plan: lines });
  context.print(`${lines.map((words) => `  ${shellLine(words)}`).join('\n')}\n`);
};
