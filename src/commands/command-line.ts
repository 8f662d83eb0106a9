import yargs, { type Argv } from 'yargs';
import { type ExitCode, exitCode, usageError } from '../host/rescue-error.ts';
import { type CommandContext, createContext } from './context.ts';
import {
  addGlobalOptions,
  addLastResorts,
  addRepairOptions,
  addStackOptions,
  addSystemOption,
  addTargetOptions,
} from './global-options.ts';
import { addRehearsalOptions, addRehearseOptions } from './rehearse-flags.ts';
import { addProofOption, addRepairCommandOptions } from './repair-flags.ts';
import { addContainerOptions } from './rescue-options.ts';
import { addVerifyOptions } from './verify-options.ts';
import { version } from './version.ts';

type Handler = (args: unknown, context: CommandContext) => Promise<ExitCode>;

/** Loads a command only when it is used: start-up time is what a person feels first. */
type Load = () => Promise<Handler>;

const listOptions = (argv: Argv) =>
  argv.option('all', { type: 'boolean', describe: 'Show mounted software images, too' });

const inspectOptions = (argv: Argv) => addTargetOptions(argv);

const checkOptions = (argv: Argv) => addRepairOptions(addSystemOption(addTargetOptions(argv)));

const mountOptions = (argv: Argv) =>
  addRepairOptions(addSystemOption(addTargetOptions(argv)))
    .option('read-only', { type: 'boolean', describe: 'Mount so that nothing can be written' })
    .option('skip-check', { type: 'boolean', describe: 'Mount without checking first' });

const rescueOptions = (argv: Argv) =>
  addRehearseOptions(
    addContainerOptions(
      addProofOption(addRepairOptions(addSystemOption(addTargetOptions(argv))))
        .option('skip-check', {
          type: 'boolean',
          describe: 'Boot without checking the file systems first',
        })
        .option('auto', {
          type: 'boolean',
          describe: 'No shell and no question: check, diagnose, repair, watch it boot, report',
        }),
    ),
  );

const diagnoseOptions = (argv: Argv) =>
  addSystemOption(addTargetOptions(argv)).option('skip-check', {
    type: 'boolean',
    describe: 'Leave the check of the file systems out',
  });

const repairOptions = (argv: Argv) =>
  addRehearseOptions(
    addRepairCommandOptions(addLastResorts(addSystemOption(addTargetOptions(argv)))),
  );

const undoOptions = (argv: Argv) =>
  addSystemOption(addStackOptions(argv))
    .positional('session', { type: 'string', demandOption: true, describe: 'Session id' })
    .option('disk', {
      type: 'string',
      requiresArg: true,
      describe: 'The disk or image file, when it is found under another name by now',
    })
    .option('force', {
      type: 'boolean',
      describe: 'Put back also what was changed after the session',
    });

const verifyOptions = (argv: Argv) => addVerifyOptions(addSystemOption(addTargetOptions(argv)));

const statusOptions = (argv: Argv) =>
  argv
    .option('all', { type: 'boolean', describe: 'Show sessions that are closed, too' })
    .option('transcript', {
      type: 'string',
      requiresArg: true,
      describe: 'Show every command of a session, with times and exit status',
    })
    .option('format', {
      choices: ['text', 'script'] as const,
      describe: 'How to show the transcript (default: text)',
    });

const cleanupOptions = (argv: Argv) =>
  argv.positional('session', { type: 'string', describe: 'Session id; all when left out' });

const declare = (argv: Argv, run: (load: Load, args: unknown) => Promise<void>): Argv =>
  argv
    .command(
      ['$0', 'wizard'],
      'The guided walk through the whole job, explaining each step',
      (own) => own,
      (args) => run(async () => (await import('./wizard.ts')).wizardHandler, args),
    )
    .command(
      'list',
      'Attached disks as a tree: what is on them, what is protected',
      listOptions,
      (args) => run(async () => (await import('./list.ts')).listHandler, args),
    )
    .command(
      'inspect <TARGET>',
      'The systems on a disk: distribution, kernels, fstab (reads only)',
      inspectOptions,
      (args) => run(async () => (await import('./inspect.ts')).inspectHandler, args),
    )
    .command(
      'check <TARGET>',
      'Check the file systems of a system; --repair mends them',
      checkOptions,
      (args) => run(async () => (await import('./check.ts')).checkHandler, args),
    )
    .command(
      'mount <TARGET>',
      'Mount a system with all that its fstab names, until cleanup',
      mountOptions,
      (args) => run(async () => (await import('./mount.ts')).mountHandler, args),
    )
    .command(
      'rescue <TARGET>',
      'The main job: check, mount, boot into rescue.target, take everything down',
      rescueOptions,
      (args) => run(async () => (await import('./rescue.ts')).rescueHandler, args),
    )
    .command(
      'diagnose <TARGET>',
      'Why does it not boot? Findings with evidence and the repair that fits (reads only)',
      diagnoseOptions,
      (args) => run(async () => (await import('./diagnose.ts')).diagnoseHandler, args),
    )
    .command(
      'repair <TARGET>',
      'Mend what diagnose finds, reversibly, after a yes; then look again',
      repairOptions,
      (args) => run(async () => (await import('./repair.ts')).repairHandler, args),
    )
    .command(
      'undo <session>',
      'Put back what a session changed on the target',
      undoOptions,
      (args) => run(async () => (await import('./undo.ts')).undoHandler, args),
    )
    .command(
      'verify <TARGET>',
      'Prove that a system boots: watch it, on a layer that is thrown away',
      verifyOptions,
      (args) => run(async () => (await import('./verify.ts')).verifyHandler, args),
    )
    .command(
      'rehearse <session>',
      'Show a layer that a rehearsal has kept, write it to the disks, or drop it',
      (own) => addRehearsalOptions(addSystemOption(addStackOptions(own))),
      (args) => run(async () => (await import('./rehearse.ts')).rehearseHandler, args),
    )
    .command('status', 'Sessions with what they hold', statusOptions, (args) =>
      run(async () => (await import('./status.ts')).statusHandler, args),
    )
    .command('cleanup [session]', 'Take down what a session left, or all', cleanupOptions, (args) =>
      run(async () => (await import('./cleanup.ts')).cleanupHandler, args),
    );

const examples = `Examples:
  rescuekit                                   be led through everything
  rescuekit list                              which disk is it?
  rescuekit rescue /dev/vdb                   a root shell in the system on that disk
  rescuekit rescue /dev/vdb --yes --exec 'systemctl --failed'
  rescuekit rescue disk.img --ephemeral       try things, keep nothing
  rescuekit diagnose /dev/vdb                 why does it not boot?
  rescuekit repair /dev/vdb --dry-run         what would be changed, to the line
  rescuekit verify /dev/vdb --vm              watch it boot from its own boot loader
  rescuekit rescue /dev/vdb --auto            all of it, without a question
  rescuekit verify /dev/vdb                   does it boot again?

Exit codes: 0 done, 1 failed, 2 wrong use, 3 problems found, 4 refused for safety,
5 something is left up, 130 interrupted`;

/**
 * Parses the words of a command line and runs the command.
 *
 * @throws RescueError usage (2) for unknown options, bad or contradictory values; what the command
 *   itself throws.
 */
export const parseArguments = async (
  words: readonly string[],
  signal: AbortSignal,
): Promise<ExitCode> => {
  let code: ExitCode = exitCode.done;
  const run = async (load: Load, args: unknown): Promise<void> => {
    const context = await createContext(args, signal);
    const handler = await load();
    code = await handler(args, context);
  };
  const argv = addGlobalOptions(yargs([...words]))
    .scriptName('rescuekit')
    .usage('$0 COMMAND [TARGET] [options]')
    .locale('en')
    .version(version)
    .help()
    .alias('help', 'h')
    .strict()
    .parserConfiguration({ 'duplicate-arguments-array': true, 'boolean-negation': true })
    .wrap(Math.min(process.stdout.columns || 80, 100))
    .completion('completion', 'Print a completion script for bash or zsh')
    .epilogue(examples)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? usageError(`${message}.`.replace(/\.\.$/, '.'), 'See rescuekit --help.');
    });
  await declare(argv as unknown as Argv, run).parseAsync();
  return code;
};
