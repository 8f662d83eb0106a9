import { expect, test } from 'vitest';
import type { Opening, Secret } from '../storage/layer.ts';
import { passphraseIn } from './secret-options.ts';
import { type AskStack, answersFrom } from './stack-answers.ts';

const opening = (key: string): Opening => ({
  ...{ key, layer: 'luks', what: key, devices: [], rank: 0, need: { kind: 'passphrase' } },
  ...{ commands: () => [], open: async () => {}, aliases: {} },
});

const given: Secret = { kind: 'passphrase', text: 'given' };

const person = (answers: readonly (string | null)[]): AskStack & { readonly asked: number[] } => {
  const asked: number[] = [];
  const left = [...answers];
  return {
    asked,
    allow: async () => true,
    passphrase: async (_opening, attempt) => {
      asked.push(attempt);
      return left.shift() ?? null;
    },
  };
};

test.each([
  ['secret\n', 'secret'],
  ['secret', 'secret'],
  [' two words \n', ' two words '],
  ['ends in a blank line\n\n', null],
  ['\n', null],
  ['', null],
  ['binary\0', null],
])('%j is the passphrase %j', (text, expected) => {
  if (expected === null) expect(() => passphraseIn(text, 'FILE')).toThrow();
  else expect(passphraseIn(text, 'FILE')).toBe(expected);
});

test('what was given is tried first, then the person is asked three times', async () => {
  const ask = person(['a', 'b', 'c', 'd']);
  const { secret } = answersFrom([given], () => false, ask);
  const tried: (Secret | null)[] = [];
  for (let attempt = 0; attempt < 5; attempt++) tried.push(await secret(opening('one'), attempt));
  const texts = tried.map((one) => (one?.kind === 'passphrase' ? one.text : null));
  expect(texts).toEqual(['given', 'a', 'b', 'c', null]);
  expect(ask.asked).toEqual([0, 1, 2]);
});

test('an empty answer leaves the volume closed', async () => {
  const { secret } = answersFrom([], () => false, person(['']));
  expect(await secret(opening('one'), 0)).toBeNull();
});

test('nobody is asked where nobody is', async () => {
  const { secret, allow } = answersFrom([given], (consent) => consent === 'partial', null);
  expect(await secret(opening('one'), 1)).toBeNull();
  expect(await allow(opening('one'), 'partial')).toBe(true);
  expect(await allow(opening('one'), 'degraded')).toBe(false);
});

test('what was typed for one volume is tried on the next', async () => {
  const ask = person(['typed']);
  const { secret } = answersFrom([], () => false, ask);
  await secret(opening('one'), 0);
  expect(await secret(opening('two'), 0)).toEqual({ kind: 'passphrase', text: 'typed' });
  expect(ask.asked).toEqual([0]);
});

test('only passphrases that have opened something are known as such', () => {
  const answers = answersFrom([given], () => false, null);
  expect(answers.passphrases()).toEqual([]);
  answers.opened(opening('one'), { kind: 'key-file', path: '/root/key' });
  answers.opened(opening('two'), given);
  answers.opened(opening('two'), given);
  expect(answers.passphrases()).toEqual([{ devices: [], text: 'given' }]);
});
