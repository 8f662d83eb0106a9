import type { CommandContext } from '../commands/context.ts';
import { describeTerminal } from '../output/terminal.ts';
import { yesOrNo } from './ask-stack.ts';
import { openAsk } from './console.ts';

/**
 * Asks on the terminal; Enter alone means no.
 *
 * @throws RescueError `INTERRUPTED` (130) for Esc, Ctrl-C and a closed terminal.
 */
export const askYes = async (context: CommandContext, message: string): Promise<boolean> => {
  const terminal = describeTerminal(process.stderr, process.env, context.options.color);
  const write = (text: string): void => {
    process.stderr.write(text);
  };
  return (await openAsk(terminal, write, context.signal).key(yesOrNo(message))) === 'yes';
};
