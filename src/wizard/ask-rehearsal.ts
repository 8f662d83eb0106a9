import type { CommandContext } from '../commands/context.ts';
import { describeTerminal } from '../output/terminal.ts';
import type { RehearsalChoice } from '../rescue/rehearse.ts';
import type { KeyQuestion } from './ask.ts';
import { openAsk } from './console.ts';

/** What becomes of a layer; Enter alone keeps it, which changes nothing and loses nothing. */
export const rehearsalQuestion: KeyQuestion<RehearsalChoice> = {
  message: 'What becomes of it?',
  keys: [
    { key: 'c', value: 'commit', word: 'commit: write it to the disks' },
    { key: 'k', value: 'keep', word: 'keep it for later' },
    { key: 'd', value: 'drop', word: 'drop it' },
  ],
  safe: 'keep',
};

/** Asks on the terminal of a command. @throws RescueError `INTERRUPTED` (130): it is then kept. */
export const askRehearsal = (context: CommandContext): Promise<RehearsalChoice> => {
  const terminal = describeTerminal(process.stderr, process.env, context.options.color);
  const write = (text: string): void => {
    process.stderr.write(text);
  };
  return openAsk(terminal, write, context.signal).key(rehearsalQuestion);
};
