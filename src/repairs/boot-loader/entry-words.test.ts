import { expect, test } from 'vitest';
import { withoutLost } from './entry-words.ts';

test('what is gone leaves its line, and a line of nothing else goes', () => {
  const fateOf = (name: string) => (name.startsWith('/gone') ? 'lost' : 'kept');
  expect(withoutLost('initrd /gone\r\ninitrd\t/a /gone $tuned  /b \r\nlinux /gone\n', fateOf)).toBe(
    'initrd\t/a $tuned /b\r\nlinux /gone\n',
  );
});

test('a line with many blanks is read in no time', () => {
  const began = performance.now();
  const text = `initrd /a${' '.repeat(150_000)}/b\n`;
  expect(withoutLost(text, () => 'kept')).toBe('initrd /a /b\n');
  expect(performance.now() - began).toBeLessThan(2000);
});
