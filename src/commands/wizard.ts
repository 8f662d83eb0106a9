import { requireRoot } from '../host/capabilities.ts';
import { type ExitCode, usageError } from '../host/rescue-error.ts';
import type { CommandContext } from './context.ts';

/** Bare `rescuekit`: the guided walk. It asks, so it needs a terminal. */
export const wizardHandler = async (_args: unknown, context: CommandContext): Promise<ExitCode> => {
  if (!context.interactive) {
    throw usageError(
      'The guided walk needs a terminal.',
      'See rescuekit --help for the commands that run without questions.',
    );
  }
  requireRoot('wizard');
  const { runWizard } = await import('../wizard/wizard.ts');
  return runWizard(context);
};
