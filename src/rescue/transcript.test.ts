import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { withoutSecrets } from '../host/command.ts';
import {
  parseTranscript,
  renderScript,
  renderTranscript,
  type TranscriptEntry,
} from './transcript.ts';

const command = (words: readonly string[], more: Partial<TranscriptEntry> = {}): TranscriptEntry =>
  ({
    kind: 'command',
    at: '2026-01-01T00:00:00.000Z',
    words,
    changes: true,
    milliseconds: 3,
    exitCode: 0,
    accepted: true,
    stderr: '',
    ...more,
  }) as TranscriptEntry;

const entries: readonly TranscriptEntry[] = [
  { kind: 'note', at: '', text: 'two\nlines' },
  command(['echo', "it's", 'a b']),
  command(['false'], { exitCode: 1, accepted: false, stderr: 'went wrong' }),
  command(['sh', '-c', 'exit 3'], { exitCode: 3 }),
  command(['lsblk'], { changes: false }),
];

test('the script runs what changed something and worked, and keeps the rest as comments', () => {
  const script = renderScript('7f3a', entries);
  expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe("it's a b\n");
  expect(script).toContain('# false');
  expect(script).toContain("sh -c 'exit 3' || [ $? -eq 3 ]");
  expect(script).toContain('# lsblk');
});

test('the text tells each exit status and what a failing command said', () => {
  const text = renderTranscript(entries);
  expect(text).toContain('exit 1');
  expect(text).toContain('went wrong');
});

test('a line that a kill cut off is left out', () => {
  const lines = `${JSON.stringify(entries[1])}\n{"kind":"comm`;
  expect(parseTranscript(lines)).toEqual([entries[1]]);
});

test('a secret is replaced wherever it stands, and an empty one hides nothing', () => {
  expect(withoutSecrets('--setenv=TOKEN=hunter2', ['hunter2', ''])).toBe('--setenv=TOKEN=(secret)');
});
