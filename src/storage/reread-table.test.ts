import { expect, it } from 'vitest';
import { type FakeFile, fakeHost } from '../../fixtures/fake-host.ts';
import { knowsTable, rereadTables } from './reread-table.ts';

type Part = { readonly start: number; readonly size: number; readonly type?: string };

const table = (parts: readonly Part[], label: string) =>
  JSON.stringify({
    partitiontable: {
      ...{ label, device: '/dev/vdb', unit: 'sectors', sectorsize: 512 },
      partitions: parts.map(({ type = '83', ...part }, index) => ({
        ...{ node: `/dev/vdb${index + 1}`, type, ...part },
      })),
    },
  });

/** A disk whose table names some partitions, and of which the kernel knows others. */
const machine = (onDisk: readonly Part[], known: readonly Part[], stderr: string | null = null) => {
  const files: Record<string, FakeFile> = {
    '/dev/vdb': { block: [253, 16] },
    '/sys/class/block/vdb/queue/logical_block_size': '512\n',
  };
  for (const [index, { start, size }] of known.entries()) {
    const name = `vdb${index + 1}`;
    for (const place of [`/sys/class/block/vdb/${name}`, `/sys/class/block/${name}`]) {
      files[`${place}/partition`] = `${index + 1}\n`;
      files[`${place}/start`] = `${start}\n`;
      files[`${place}/size`] = `${size}\n`;
    }
  }
  const host = fakeHost(({ program }) => {
    if (program === 'sfdisk') return { stdout: table(onDisk, 'dos') };
    return stderr === null ? {} : { exitCode: 1 };
  }, files);
  const run: typeof host.run = async (command) => ({
    ...(await host.run(command)),
    ...(stderr === null ? {} : { stderr }),
  });
  return { ...host, run };
};

const one = { start: 2048, size: 4096 };
const extended = { start: 8192, size: 65536, type: '5' };

it('leaves a disk alone of which the kernel knows the partitions', async () => {
  // Of an extended one it shows two sectors.
  const host = machine([one, extended], [one, { ...extended, size: 2 }]);
  expect(await knowsTable(host, '/dev/vdb')).toBe(true);
  expect(await rereadTables(host, ['/dev/vdb'])).toEqual({ outcome: 'gone' });
  expect(host.commands.map(({ program }) => program)).not.toContain('blockdev');
});

it('lets the kernel read a table that has become another one', async () => {
  for (const known of [[], [{ ...one, size: 2048 }], [one, { start: 8192, size: 2048 }]]) {
    const host = machine([one], known);
    expect(await rereadTables(host, ['/dev/vdb'])).toEqual({ outcome: 'undone' });
    expect(host.commands.at(-1)).toMatchObject({ args: ['--rereadpt', '/dev/vdb'] });
  }
});

it('takes no offence at a disk that somebody uses, and at one that is gone', async () => {
  const busy = 'blockdev: ioctl error on BLKRRPART: Device or resource busy\n';
  expect(await rereadTables(machine([one], [], busy), ['/dev/vdb'])).toEqual({ outcome: 'undone' });
  expect(await rereadTables(machine([one], []), ['/dev/vdz'])).toEqual({ outcome: 'gone' });
});

it('tells the kernel each partition where it reads no tables, and of what fails then', async () => {
  const broken = 'blockdev: ioctl error on BLKRRPART: Invalid argument\n';
  const host = machine([one], [], broken);
  await expect(rereadTables(host, ['/dev/vdb'])).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
  expect(host.commands.at(-1)).toMatchObject({ program: 'partx', args: ['--update', '/dev/vdb'] });
});
