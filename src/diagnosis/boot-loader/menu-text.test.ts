import { expect, test } from 'vitest';
import { hasCommand, searchedUuid } from './menu-text.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';

test('a command counts at the beginning of a line alone', () => {
  expect(hasCommand('set a=b\n\t blscfg\n', 'blscfg')).toBe(true);
  expect(hasCommand('linux16 /k', 'linux\\w*')).toBe(true);
  expect(hasCommand('if true\n\n  linux /k', 'linux\\w*')).toBe(true);
  expect(hasCommand('echo blscfg\nblscfgs\nset linux=1', 'linux\\w*|blscfg')).toBe(false);
});

test.each([
  [`search.fs_uuid ${uuid} root hd0,gpt3`],
  [`search.fs_uuid ${uuid}`],
  [`set a=b\n  search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt2 ${uuid}\n`],
  [`search -u ${uuid} --set=root`],
  [`search --no-floppy --fs-uuid --set=dev ${uuid}\nsearch.fs_uuid 1234-ABCD`],
])('of "%s" the UUID is read', (config) => {
  expect(searchedUuid(config)).toBe(uuid);
});

test('a search by another name, or for what a variable holds, names no UUID', () => {
  for (const line of [`search --label ${uuid}`, 'search --fs-uuid $root', `# search -u ${uuid}`]) {
    expect(searchedUuid(line)).toBeNull();
  }
});

test('text that is made to be read slowly is read in no time', () => {
  const began = performance.now();
  const count = 200_000;
  expect(hasCommand('\n'.repeat(count), 'blscfg|linux\\w*')).toBe(false);
  expect(hasCommand(`${' \t'.repeat(count)}x`, 'blscfg')).toBe(false);
  expect(searchedUuid(`${'\n'.repeat(count)}x`)).toBeNull();
  expect(searchedUuid(`search${' --fs-uuid -u 1234567'.repeat(count / 20)}`)).toBeNull();
  expect(performance.now() - began).toBeLessThan(2000);
});
