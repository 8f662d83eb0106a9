import { expect, test } from 'vitest';
import { makeDynamicElf } from '../../fixtures/make-dynamic-elf.ts';
import { makeTree, type TreeEntry } from '../../fixtures/make-tree.ts';
import { hostFiles } from '../host/files.ts';
import { programReader } from './program-closure.ts';
import { systemFiles } from './system-files.ts';

const loader = '/lib64/ld-linux-x86-64.so.2';
const multiarch = 'usr/lib/x86_64-linux-gnu';

const libc = makeDynamicElf({ soname: 'libc.so.6', versions: ['GLIBC_2.34'] });

const healthy: Readonly<Record<string, TreeEntry>> = {
  lib: { link: 'usr/lib' },
  lib64: { link: 'usr/lib64' },
  'usr/lib64/ld-linux-x86-64.so.2': { program: makeDynamicElf() },
  [`${multiarch}/libc.so.6`]: libc,
  [`${multiarch}/private/libinner.so`]: makeDynamicElf({ needed: ['libc.so.6'] }),
  'usr/bin/tool': {
    program: makeDynamicElf({
      interpreter: loader,
      needed: ['libinner.so', 'libc.so.6'],
      runpath: `/${multiarch}/private`,
      wants: { 'libc.so.6': ['GLIBC_2.34'] },
    }),
  },
};

const faultsOf = async (
  changes: Readonly<Record<string, TreeEntry | null>>,
  program = '/usr/bin/tool',
) => {
  const entries = Object.entries({ ...healthy, ...changes });
  await using tree = await makeTree(
    Object.fromEntries(entries.filter((pair): pair is [string, TreeEntry] => pair[1] !== null)),
  );
  const reader = await programReader(systemFiles(hostFiles, tree.root));
  const found = await reader.faultsOf(program, 'x86_64');
  return found.map(({ kind, path, fault, detail }) => `${kind} ${path} ${fault} ${detail}`.trim());
};

test('a program with all of its libraries has no fault', async () => {
  expect(await faultsOf({})).toEqual([]);
});

test.each<readonly [string, Readonly<Record<string, TreeEntry | null>>, readonly string[]]>([
  ['the library is gone', { [`${multiarch}/libc.so.6`]: null }, ['library libc.so.6 missing']],
  [
    'the library is empty',
    { [`${multiarch}/libc.so.6`]: '' },
    [`library /${multiarch}/libc.so.6 empty`],
  ],
  [
    'the library is that of another machine',
    { [`${multiarch}/libc.so.6`]: makeDynamicElf({ machine: 183 }) },
    [`library /${multiarch}/libc.so.6 wrong-machine aarch64`],
  ],
  [
    'the library is older than the program',
    { [`${multiarch}/libc.so.6`]: makeDynamicElf({ versions: ['GLIBC_2.31'] }) },
    [`library /${multiarch}/libc.so.6 lacks-version GLIBC_2.34`],
  ],
  [
    'a library of a library is gone',
    { [`${multiarch}/private/libinner.so`]: makeDynamicElf({ needed: ['libdeep.so.1'] }) },
    ['library libdeep.so.1 missing'],
  ],
  ['the loader is gone', { 'usr/lib64/ld-linux-x86-64.so.2': null }, [`loader ${loader} missing`]],
  ['the program is empty', { 'usr/bin/tool': { program: '' } }, ['program /usr/bin/tool empty']],
  [
    'the program may not be executed',
    { 'usr/bin/tool': makeDynamicElf({}) },
    ['program /usr/bin/tool not-executable'],
  ],
])('when %s it is named', async (_what, changes, expected) => {
  expect(await faultsOf(changes)).toEqual(expected);
});

test('a library for another machine in front of the right one is passed over', async () => {
  const changes = { [`${multiarch}/private/libc.so.6`]: makeDynamicElf({ machine: 3 }) };
  expect(await faultsOf(changes)).toEqual([]);
});

test('directories of ld.so.conf and its included files are searched', async () => {
  const faults = await faultsOf({
    [`${multiarch}/libc.so.6`]: null,
    'opt/lib/libc.so.6': libc,
    'etc/ld.so.conf': 'include /etc/ld.so.conf.d/*.conf\n',
    'etc/ld.so.conf.d/opt.conf': '# ours\n/opt/lib\n',
    'etc/ld.so.conf.d/loop.conf': 'include ld.so.conf.d/../../ld.so.conf\n',
  });
  expect(faults).toEqual([]);
});

test('libraries that need each other are each read once', async () => {
  const faults = await faultsOf({
    'usr/bin/tool': { program: makeDynamicElf({ needed: ['a.so'] }) },
    'usr/lib/a.so': makeDynamicElf({ needed: ['b.so'] }),
    'usr/lib/b.so': makeDynamicElf({ needed: ['a.so'] }),
  });
  expect(faults).toEqual([]);
});

test('a script needs no library, and a missing program is said to be missing', async () => {
  const changes = { 'usr/bin/tool': { program: '#!/bin/sh\n' } };
  expect(await faultsOf(changes)).toEqual([]);
  expect(await faultsOf({}, '/usr/bin/gone')).toEqual(['program /usr/bin/gone missing']);
});
