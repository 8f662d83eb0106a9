import { expect, test } from 'vitest';
import { makeTree } from '../../fixtures/make-tree.ts';
import { createHost } from '../host/host.ts';
import { losslessText } from '../host/lossless-text.ts';
import { viewChange } from './describe-change.ts';
import { inBytes } from './written-bytes.ts';

const host = createHost();
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const viewOf = async (before: Buffer | string, content: Buffer | string) => {
  await using tree = await makeTree({ 'etc/fstab': before });
  const change = { kind: 'write-file', path: '/etc/fstab', content } as const;
  const view = await viewChange(host, tree.root, change);
  expect(await viewChange(host, tree.root, inBytes(change))).toEqual(view);
  return view.diff;
};

const lines = latin1('# donn\xe9es\n/dev/a /mnt/donn\xe9es ext4\n/dev/b /srv ext4\n');

test('a line with bytes that are no UTF-8 is shown, and no difference when it stays', async () => {
  expect(await viewOf(lines, losslessText(lines).replace('/srv ext4', '/srv ext4 nofail'))).toEqual(
    [
      '--- /etc/fstab',
      '+++ /etc/fstab',
      '@@ -1,3 +1,3 @@',
      ' # donn\\xe9es',
      ' /dev/a /mnt/donn\\xe9es ext4',
      '-/dev/b /srv ext4',
      '+/dev/b /srv ext4 nofail',
    ],
  );
});

test('one line of a large file is shown', async () => {
  const list = '0.0.0.0 ads.example.org\n'.repeat(75_000);
  const diff = await viewOf(`127.0.0.1 web\n${list}`, `127.0.0.1 localhost web\n${list}`);
  expect(diff).toContain('+127.0.0.1 localhost web');
  expect(diff.length).toBeLessThan(12);
});

test('a program, and what is wholly different, is not shown', async () => {
  expect(await viewOf(lines, Buffer.from([0x7f, 0x45, 0xfe, 0x01]))).toEqual([
    `content that is not shown: ${lines.length} bytes -> 4 bytes`,
  ]);
  const [one, other] = ['a', 'b'].map((letter) =>
    Array.from({ length: 20_000 }, (_, index) => `${letter}${index}\n`).join(''),
  );
  expect(await viewOf(one ?? '', other ?? '')).toMatchObject([
    expect.stringContaining('not shown'),
  ]);
});
