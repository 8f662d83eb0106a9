import type { Argv } from 'yargs';
import { z } from 'zod';
import { containerSchema } from './rescue-options.ts';
import { targetSchema } from './target-arguments.ts';

export const addVerifyOptions = <T>(argv: Argv<T>) =>
  argv
    .option('target', {
      type: 'string',
      requiresArg: true,
      describe: "Unit to be reached (default: the system's default target)",
    })
    .option('boot-timeout', {
      type: 'string',
      requiresArg: true,
      describe: 'Seconds until the boot counts as hanging (default: 120)',
    })
    .option('skip-check', {
      type: 'boolean',
      describe: 'Boot without checking the file systems first',
    });

export const verifySchema = targetSchema.extend({
  target: containerSchema.shape.unit,
  bootTimeout: z
    .string()
    .regex(/^[1-9]\d*$/, 'wants a whole number of seconds')
    .transform(Number)
    .optional(),
  skipCheck: z.boolean().default(false),
});

export type VerifyArguments = z.infer<typeof verifySchema>;
