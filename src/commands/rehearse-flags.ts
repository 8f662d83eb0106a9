import type { Argv } from 'yargs';

/** For a command that can do its work on a layer. */
export const addRehearseOptions = <T>(argv: Argv<T>) =>
  argv
    .option('rehearse', {
      type: 'boolean',
      describe: 'Work on a copy-on-write layer, and decide at the end what becomes of it',
    })
    .option('on-success', {
      choices: ['commit', 'keep', 'drop'] as const,
      describe: 'With --rehearse: what becomes of the layer when all went well, without a question',
    });

/** For the command that decides about a layer that was kept. */
export const addRehearsalOptions = (argv: Argv) =>
  argv
    .positional('session', { type: 'string', describe: 'Session id, as status shows it' })
    .option('commit', {
      type: 'boolean',
      describe: 'Write the layer to the disks, or finish a commit that was cut off',
    })
    .option('drop', { type: 'boolean', describe: 'Remove the layer; the disks stay as they are' });
