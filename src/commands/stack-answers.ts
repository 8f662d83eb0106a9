import type { z } from 'zod';
import type { StackAnswers, VolumePassphrase } from '../rescue/stack-answers.ts';
import type { Consent, Opening, Secret } from '../storage/layer.ts';
import type { CommandContext } from './context.ts';
import { readHeaders, readSecrets } from './secret-options.ts';
import type { targetSchema } from './target-arguments.ts';

type Given = Pick<
  z.infer<typeof targetSchema>,
  'degraded' | 'partial' | 'renameClone' | 'passphraseFile' | 'keyFile' | 'luksHeader'
>;

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

/** A person who can be asked. */
export type AskStack = {
  readonly allow: (opening: Opening, consent: Consent) => Promise<boolean>;
  /** Null when the volume is to stay closed. */
  readonly passphrase: (opening: Opening, attempt: number) => Promise<string | null>;
};

/** As often as cryptsetup asks by itself. */
export const askedAttempts = 3;

/**
 * Secrets that were given are tried on each volume, then the person is asked. What was typed for
 * one volume is tried on the next one, too: often all of a machine have the same passphrase, and a
 * volume may be opened twice in one walk.
 */
const secretsOf = (known: readonly Secret[], ask: AskStack | null): StackAnswers['secret'] => {
  const all = [...known];
  const tried = new Map<string, readonly Secret[]>();
  return async (opening, attempt) => {
    if (attempt === 0) tried.set(opening.key, [...all]);
    const first = tried.get(opening.key) ?? [];
    const ready = first[attempt];
    if (ready !== undefined) return ready;
    const asked = attempt - first.length;
    if (ask === null || asked >= askedAttempts) return null;
    const text = await ask.passphrase(opening, asked);
    if (text === null || text === '') return null;
    const secret: Secret = { kind: 'passphrase', text };
    all.push(secret);
    return secret;
  };
};

/** Answers from what is known already; `ask` is null when nobody can be asked. */
export const answersFrom = (
  secrets: readonly Secret[],
  allowed: (consent: Consent) => boolean,
  ask: AskStack | null,
): Omit<StackAnswers, 'luksHeaders'> => {
  const good = new Map<string, VolumePassphrase>();
  return {
    allow: async (opening, consent) =>
      allowed(consent) || (ask !== null && (await ask.allow(opening, consent))),
    secret: secretsOf(secrets, ask),
    opened: ({ key, devices }, secret) => {
      if (secret.kind === 'passphrase') good.set(key, { devices, text: secret.text });
    },
    passphrases: () => [...good.values()],
  };
};

/** The prompts are loaded with the first question: most targets have none. */
const askLater = (context: CommandContext): AskStack => {
  const person = async () => (await import('../wizard/ask-stack.ts')).askOnTerminal(context);
  return {
    allow: async (opening, consent) => (await person()).allow(opening, consent),
    passphrase: async (opening, attempt) => (await person()).passphrase(opening, attempt),
  };
};

/**
 * What the options say; on a terminal the person is asked for what they do not say. Reads the files
 * that were named, so it comes before anything is touched.
 *
 * @throws RescueError usage (2) for a file that is not there or cannot be what it should.
 */
export const stackAnswers = async (
  options: Given,
  context: CommandContext,
): Promise<StackAnswers> => {
  const { host } = context;
  const luksHeaders = await readHeaders(host, options.luksHeader);
  const secrets = await readSecrets(host, options);
  const ask = context.interactive ? askLater(context) : null;
  return { ...answersFrom(secrets, (consent) => given(options, consent), ask), luksHeaders };
};
