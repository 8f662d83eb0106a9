import type { CommandContext } from '../commands/context.ts';
import { type ExitCode, exitCode } from '../host/rescue-error.ts';
export const runWizard = async (_context: CommandContext): Promise<ExitCode> => exitCode.failed;
