import type { Argv } from 'yargs';
import { proofWishes } from './proof-wish.ts';

/** For what mends: which boot shows that it did. */
export const addProofOption = <T>(argv: Argv<T>) =>
  argv.option('proof', {
    choices: proofWishes,
    describe: 'Which boot is watched afterwards (default: auto, the one that shows the mend)',
  });

/** Which repairs, and what only the person can say. */
export const addRepairCommandOptions = <T>(argv: Argv<T>) =>
  addProofOption(argv)
    .option('only', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Only this repair, or the repair of this finding (may be given again)',
    })
    .option('skip-check', {
      type: 'boolean',
      describe: 'Leave the check of the file systems out',
    })
    .option('authorized-key', {
      type: 'string',
      requiresArg: true,
      describe: 'Public key file for --only access.authorized-key',
    })
    .option('user', {
      type: 'string',
      requiresArg: true,
      describe: 'Account for --authorized-key (default: root)',
    })
    .option('root-password-file', {
      type: 'string',
      requiresArg: true,
      describe: 'New password for --only access.root-password, one line; - is standard input',
    });
