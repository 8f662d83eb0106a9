import { expect, test } from 'vitest';
import { makeTree } from '../../fixtures/make-tree.ts';
import { makeUki } from '../../fixtures/make-uki.ts';
import { hostFiles } from '../host/files.ts';
import { systemFiles } from './system-files.ts';
import { unifiedCommandLine } from './unified-image.ts';

test('the command line of a unified image, and null for what carries none', async () => {
  const line = 'root=UUID=0d7c7d2c-1111-4222-8333-444455556666 rw quiet';
  await using tree = await makeTree({
    'line.efi': { program: makeUki(line) },
    'none.efi': { program: makeUki(null) },
    'cut.efi': { program: makeUki(line).subarray(0, 0x100) },
    'tiny.efi': 'MZ',
    'text.efi': 'no image at all',
  });
  const files = systemFiles(hostFiles, tree.root);
  const names = ['line', 'none', 'cut', 'tiny', 'text', 'absent'];
  const found = await Promise.all(names.map((name) => unifiedCommandLine(files, `/${name}.efi`)));
  expect(found).toEqual([line, null, null, null, null, null]);
});
