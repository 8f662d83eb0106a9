import type { z } from 'zod';
import type { StackAnswers } from '../rescue/stack-answers.ts';
import type { Consent } from '../storage/layer.ts';
import type { CommandContext } from './context.ts';
import type { targetSchema } from './target-arguments.ts';

type Given = Pick<z.infer<typeof targetSchema>, 'degraded' | 'partial' | 'renameClone'>;

const given = (options: Given, consent: Consent): boolean => {
  switch (consent) {
    case 'degraded':
      return options.degraded;
    case 'partial':
      return options.partial;
    case 'rename-clone':
      return options.renameClone;
  }
};

/** What the options say; on a terminal the person is asked for what they do not say. */
export const stackAnswers = (options: Given, _context: CommandContext): StackAnswers => ({
  allow: async (_opening, consent) => given(options, consent),
  secret: async () => null,
});
