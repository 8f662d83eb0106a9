import { expect, it } from 'vitest';
import { type FakeFile, fakeHost } from '../../../fixtures/fake-host.ts';
import { restoreInactive, stopArray } from './stop-array.ts';

const uuid = 'b309b68e:b1086443:58fcb39a:4c150411';
const array = { device: '/dev/md999', uuid, members: ['/dev/vdb', '/dev/vdc'] };

const running = (member: string): Readonly<Record<string, FakeFile>> => ({
  '/sys/class/block/md999/md/array_state': 'readonly\n',
  [`/sys/class/block/md999/slaves/${member}/dev`]: '254:16\n',
});

const host = (files: Readonly<Record<string, FakeFile>>, foundUuid = uuid) =>
  fakeHost(
    ({ args }) => (args[0] === '--detail' ? { stdout: `MD_UUID=${foundUuid}\n` } : null),
    files,
  );

const stopped = (commands: readonly { readonly args: readonly string[] }[]) =>
  commands.some(({ args }) => args.includes('--stop'));

it.each([
  ['nothing is at the node', host({})],
  ['its members are other devices', host(running('vdx'))],
  ['it has another UUID', host(running('vdb'), '15980f8a:d4597305:0e1dd6d7:094f956d')],
])('an array is left alone when %s', async (_why, where) => {
  expect(await stopArray(where, array)).toEqual({ outcome: 'gone' });
  expect(stopped(where.commands)).toBe(false);
});

it('members that another array has taken are not given back to an inactive one', async () => {
  const where = host({
    '/sys/class/block/vdb/dev': '254:16\n',
    '/sys/class/block/vdb/holders/md126/dev': '9:126\n',
  });
  const { device } = array;
  // vdc is not attached any more.
  expect(await restoreInactive(where, { device, members: array.members })).toEqual({
    outcome: 'gone',
  });
  expect(where.commands).toEqual([]);
});
