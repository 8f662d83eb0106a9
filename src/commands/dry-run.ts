import { shellLine } from '../host/command.ts';
import type { CommandContext } from './context.ts';

/** Shows what would be run; under `--json` as a document. */
export const printCommands = (
  context: CommandContext,
  lines: readonly (readonly string[])[],
): void => {
  context.print(`${lines.map((words) => `  ${shellLine(words)}`).join('\n')}\n`);
};
