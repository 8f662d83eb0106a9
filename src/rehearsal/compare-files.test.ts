import { expect, it } from 'vitest';
import { compareStates } from './compare-files.ts';
import { differingPaths, parseFileList } from './file-list.ts';

type Row = readonly [path: string, type: string, bytes: number, mode: string, changed: string];

const listOf = (rows: readonly Row[], link = '') =>
  parseFileList(
    rows
      .flatMap(([path, type, bytes, mode, changed]) => [
        ...[path, type, String(bytes), mode, '0:0', '1.5', changed, type === 'l' ? link : ''],
      ])
      .map((field) => `${field}\0`)
      .join(''),
  );

const content = (text: string) => ({ sum: text, text });

it('reads names with blanks and line ends, and leaves the top out', () => {
  const list = listOf([
    ['', 'd', 4096, '755', '1'],
    ['a b\nc', 'f', 3, '644', '1'],
    ['dev', 'b', 0, '660', '1'],
  ]);
  expect([...list.keys()]).toEqual(['/a b\nc', '/dev']);
  expect(list.get('/dev')?.kind).toBe('other');
});

it('tells what was added, removed, changed, and only given other attributes', () => {
  const before = {
    list: listOf([
      ['gone', 'f', 3, '644', '1'],
      ['mode', 'f', 3, '644', '1'],
      ['same', 'f', 3, '644', '1'],
      ['text', 'f', 4, '644', '1'],
    ]),
    contents: new Map([
      ['/gone', content('old')],
      ['/mode', content('abc')],
      ['/text', content('one\n')],
    ]),
  };
  const after = {
    list: listOf([
      ['mode', 'f', 3, '600', '2'],
      ['new', 'f', 2, '644', '2'],
      ['same', 'f', 3, '644', '1'],
      ['text', 'f', 4, '644', '2'],
    ]),
    contents: new Map([
      ['/mode', content('abc')],
      ['/new', content('x\n')],
      ['/text', content('two\n')],
    ]),
  };
  const changes = compareStates(before, after);
  expect(changes.map(({ path, change }) => [path, change])).toEqual([
    ['/gone', 'removed'],
    ['/mode', 'attributes'],
    ['/new', 'added'],
    ['/text', 'changed'],
  ]);
  expect(changes[3]?.diff).toMatch(/^--- \/text\n\+\+\+ \/text\n@@ .*@@\n-one\n\+two\n$/);
  expect(changes[1]?.diff).toBeNull();
});

it('does not show a directory of which only the times are others, and shows another link', () => {
  const directory = (changed: string) => listOf([['etc', 'd', 4096, '755', changed]]);
  expect(differingPaths(directory('1'), directory('2'))).toEqual([]);
  const link = (to: string) => listOf([['run', 'l', 4, '777', '1']], to);
  expect(differingPaths(link('a'), link('b'))).toEqual(['/run']);
});

it('shows no control characters of a file in its diff', () => {
  const list = listOf([['evil', 'f', 4, '644', '1']]);
  const contents = new Map([['/evil', content('\u001b[31mred\tblue\n')]]);
  const [change] = compareStates({ list: new Map(), contents: new Map() }, { list, contents });
  expect(change?.diff).not.toContain('\u001b');
  expect(change?.diff).toContain('+red');
});
