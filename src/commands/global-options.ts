import type { Argv } from 'yargs';

/** Options of every command. No defaults, so that "not given" can be told from "given". */
export const addGlobalOptions = <T>(argv: Argv<T>) =>
  argv
    .option('json', {
      type: 'boolean',
      global: true,
      describe: 'One JSON document on standard output, everything else on standard error',
    })
    .option('yes', {
      alias: 'y',
      type: 'boolean',
      global: true,
      describe: 'Ask no questions: go on with what the command is for',
    })
    .option('dry-run', {
      type: 'boolean',
      global: true,
      describe: 'Show what would be done, with each command, and do not do it',
    })
    .option('verbose', {
      type: 'boolean',
      global: true,
      describe: 'Show each command as it runs',
    })
    .option('color', {
      type: 'boolean',
      global: true,
      describe: 'Use --no-color (or NO_COLOR) for plain text',
    })
    .option('config', {
      type: 'string',
      global: true,
      describe: 'Configuration file (default: /etc/rescuekit/config.json if it is there)',
    })
    .option('state-dir', {
      type: 'string',
      global: true,
      describe: 'Where sessions are kept (default: /var/lib/rescuekit and /run/rescuekit)',
    });

/** TARGET and what helps to find the system on it. */
export const addTargetOptions = <T>(argv: Argv<T>) =>
  addStackOptions(argv).positional('TARGET', {
    type: 'string',
    demandOption: true,
    describe: 'Disk, partition or other block device, raw image file, or directory',
  });

/** What helps to put the storage stack of a target together. */
export const addStackOptions = <T>(argv: Argv<T>) =>
  argv
    .option('with', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Further disk or image file that belongs to the same system',
    })
    .option('degraded', {
      type: 'boolean',
      describe: 'Open arrays and volumes with a missing member that they can do without',
    })
    .option('partial', {
      type: 'boolean',
      describe: 'Open volume groups of which a disk is missing: only what is left can be read',
    })
    .option('rename-clone', {
      type: 'boolean',
      describe: 'Give a clone another id while the session lasts, where nothing else works',
    })
    .option('passphrase-file', {
      type: 'string',
      requiresArg: true,
      describe: 'Passphrase of encrypted volumes, one line of text; - is standard input',
    })
    .option('key-file', {
      type: 'string',
      requiresArg: true,
      describe: 'Key file of encrypted volumes, every byte of it',
    })
    .option('luks-header', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Detached LUKS header: FILE, or DEVICE=FILE when several devices may be meant',
    });

export const addSystemOption = <T>(argv: Argv<T>) =>
  argv.option('system', {
    type: 'string',
    requiresArg: true,
    describe: 'Which system, when there are several (inspect names them)',
  });

/** Mending, with the last resorts each behind an option of its own. */
export const addRepairOptions = <T>(argv: Argv<T>) =>
  addLastResorts(argv).option('repair', {
    type: 'boolean',
    describe: 'Mend what is wrong (e2fsck keeps an undo file)',
  });

/** What may lose data, each by a word of its own. */
export const addLastResorts = <T>(argv: Argv<T>) =>
  argv
    .option('xfs-zero-log', {
      type: 'boolean',
      describe: 'Last resort: throw away an XFS log that cannot be replayed (xfs_repair -L)',
    })
    .option('btrfs-repair', {
      type: 'boolean',
      describe: 'Last resort: btrfs check --repair',
    })
    .option('backup-superblock', {
      type: 'string',
      describe: 'Last resort: e2fsck with a backup superblock, "auto" or its block number',
    });
