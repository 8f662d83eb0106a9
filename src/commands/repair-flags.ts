import type { Argv } from 'yargs';

/** Which repairs, and what only the person can say. */
export const addRepairCommandOptions = <T>(argv: Argv<T>) =>
  argv
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
    .option('proof', {
      choices: ['auto', 'none', 'container', 'vm'] as const,
      describe: 'Which boot is watched afterwards (default: auto, the one that shows the mend)',
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
