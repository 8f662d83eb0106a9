import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeHost, recorded } from '../../fixtures/fake-host.ts';
import type { Command } from '../host/command.ts';
import { RescueError } from '../host/rescue-error.ts';
import { parseBlkid, probeDevices, probeRange } from './blkid.ts';

/** As blkid 2.38 answers: in order, and it stops at the first device that gives no result. */
const blkid =
  (contents: Readonly<Record<string, string | 8>>) =>
  (command: Command): { exitCode: number; stdout: string } => {
    const blocks: string[] = [];
    for (const path of command.args.slice(3)) {
      const content = contents[path];
      if (typeof content !== 'string') {
        return { exitCode: content ?? 2, stdout: blocks.join('\n') };
      }
      blocks.push(`DEVNAME=${path}\n${content}\n`);
    }
    return { exitCode: 0, stdout: blocks.join('\n') };
  };

test('reads signatures and the entry of the partition table of several devices', () => {
  const probes = parseBlkid(recorded('blkid/whole.txt'));
  expect(probes.get('/dev/loop0')).toMatchObject({ partitionTable: 'gpt', fsType: null });
  expect(probes.get('/dev/loop1p5')).toEqual({
    fsType: 'ext4',
    label: 'logical',
    uuid: '0e603816-204c-4bdf-b233-9049f18b85c6',
    memberUuid: null,
    partitionTable: null,
    entry: { number: 5, startBytes: 10485760, uuid: '12345678-05', label: null, type: '0x83' },
  });
});

test('decodes what blkid escapes for a shell', () => {
  expect(parseBlkid(recorded('blkid/whole.txt')).get('/dev/loop2')?.label).toBe('a b"\\$`<\\x');
});

test('a label with a newline cannot bring a line of its own', () => {
  expect(parseBlkid(recorded('blkid/whole.txt')).get('/dev/loop5')?.fsType).toBe('ext4');
});

test('any label comes back as it was', () => {
  const label = fc
    .string({ unit: 'grapheme' })
    .filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text));
  fc.assert(
    fc.property(
      label,
      fc.string({ unit: fc.constantFrom(' ', '\\', '"', "'", '$', '`', '<', '>', 'x', '4') }),
      (a, b) => {
        const escaped = (a + b).replaceAll(/[ \\"'$`<>]/g, '\\$&');
        const probes = parseBlkid(`DEVNAME=/dev/a\nLABEL=${escaped}\nTYPE=ext4\n`);
        expect(probes.get('/dev/a')).toMatchObject({ label: a + b, fsType: 'ext4' });
      },
    ),
  );
});

test('bytes above 127 are decoded from the notation of util-linux 2.38', () => {
  const label = (text: string) =>
    parseBlkid(`DEVNAME=/dev/a\nLABEL=${text}\n`).get('/dev/a')?.label;
  expect(label('root\\ M-CM-)')).toBe('root é');
  expect(label('M-bM-^BM-,')).toBe('€');
  expect(label('M-1')).toBe('M-1');
});

test('no output makes the parser fail', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parseBlkid(text)).toBeInstanceOf(Map);
    }),
  );
});

test('goes on behind a device that is empty, ambiguous or not readable', async () => {
  const contents = {
    '/dev/a': 'TYPE=xfs',
    '/dev/c': 8,
    '/dev/d': 'TYPE=ext4',
    '/dev/f': 'TYPE=swap',
  } as const;
  const host = fakeHost(blkid(contents));
  const paths = ['/dev/a', '/dev/b', '/dev/c', '/dev/d', '/dev/e', '/dev/f'];
  const probes = await probeDevices(host, paths);
  const types = paths.map((path) => probes.get(path)?.fsType);
  expect(types).toEqual(['xfs', null, 'ambiguous', 'ext4', null, 'swap']);
  expect(host.commands).toHaveLength(4);
});

test('a blkid that does not stop at an empty device is understood as well', async () => {
  const host = fakeHost((command) => {
    const asked = command.args.slice(3);
    if (asked.length === 1) return { exitCode: 8 };
    return { exitCode: 2, stdout: 'DEVNAME=/dev/c\nTYPE=ext4\n' };
  });
  const probes = await probeDevices(host, ['/dev/a', '/dev/b', '/dev/c']);
  expect([...probes.values()].map((probe) => probe.fsType).sort()).toEqual([
    'ambiguous',
    'ambiguous',
    'ext4',
  ]);
});

test('hundreds of devices with contents need a call for every 32', async () => {
  const paths = Array.from({ length: 512 }, (_, index) => `/dev/d${index}`);
  const host = fakeHost(blkid(Object.fromEntries(paths.map((path) => [path, 'TYPE=ext4']))));
  expect((await probeDevices(host, paths)).size).toBe(512);
  expect(host.commands).toHaveLength(16);
});

test('a disk that does not answer is listed without contents and does not hide the others', async () => {
  const answer = blkid({ '/dev/b': 'TYPE=ext4' });
  const host = fakeHost((command) => {
    if (command.args.includes('/dev/slow')) {
      throw new RescueError({ code: 'TIMEOUT', message: 'blkid did not end' });
    }
    return answer(command);
  });
  const probes = await probeDevices(host, ['/dev/slow', '/dev/b']);
  expect(probes.get('/dev/slow')?.fsType).toBeNull();
  expect(probes.get('/dev/b')?.fsType).toBe('ext4');
});

test('a part of a disk is probed by offset and size in bytes', async () => {
  const host = fakeHost(() => ({ stdout: recorded('blkid/gpt-root-range.txt') }));
  const probe = await probeRange(host, '/dev/loop0', 10485760, 31457280);
  expect(probe).toMatchObject({ fsType: 'ext4', label: 'gptroot' });
  expect(host.commands[0]?.args.join(' ')).toContain('--offset 10485760 --size 31457280');
});
