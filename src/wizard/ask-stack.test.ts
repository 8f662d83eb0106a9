import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { keys, openTerminal } from '../../fixtures/terminal.ts';

const script = fileURLToPath(new URL('../../fixtures/ask-on-terminal.ts', import.meta.url));

const start = (term: string) =>
  openTerminal(process.execPath, [script], {
    columns: 80,
    rows: 24,
    env: { PATH: process.env.PATH ?? '', TERM: term, LANG: 'C.UTF-8' },
  });

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const patience = 60_000;

test.each(['xterm-256color', 'dumb'])(
  'a passphrase is typed unseen in the midst of a task, and Enter alone is no consent (%s)',
  async (term) => {
    const terminal = start(term);
    await terminal.see('The encrypted volume /dev/vdb3 is closed.');
    await terminal.see('Passphrase:');
    terminal.press('open sesame');
    await terminal.see('***********');
    terminal.press(keys.enter);
    await terminal.see('1 of 2 disks is there.');
    await terminal.see('Open it without the missing member?');
    terminal.press(keys.enter);
    await terminal.see(/Look at \/dev\/vdb {2}\d/);
    await terminal.see(`answers {"digest":"${digestOf('open sesame')}","allowed":false}`);
    expect(await terminal.ended).toBe(0);
    expect(terminal.raw()).not.toContain('sesame');
  },
  patience,
);

test(
  'an empty answer leaves it closed, y is a consent',
  async () => {
    const terminal = start('xterm-256color');
    await terminal.see('Passphrase:');
    terminal.press(keys.enter);
    await terminal.see('Passphrase, attempt 2 of 3:');
    terminal.press(keys.enter);
    await terminal.see('Open it without the missing member?');
    terminal.press('y');
    await terminal.see('answers {"digest":null,"allowed":true}');
  },
  patience,
);

test(
  'Ctrl-C at the question ends the task',
  async () => {
    const terminal = start('xterm-256color');
    await terminal.see('Passphrase:');
    terminal.press(keys.controlC);
    await terminal.see('ended INTERRUPTED');
  },
  patience,
);
