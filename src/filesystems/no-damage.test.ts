import { expect, test } from 'vitest';
import { fakeHost, recorded } from '../../fixtures/fake-host.ts';
import type { Command } from '../host/command.ts';
import { isDamaged, isOnlyDirty } from '../rescue/check-system.ts';
import { fileSystemFindings } from '../rescue/diagnose-job.ts';
import type { CheckContext, CheckResult } from './file-system.ts';
import { fileSystemFor } from './registry.ts';

type Answer = { readonly exitCode?: number; readonly output: string };

/** The answer of a look at a device whose tools print what is given, by the program's name. */
const look = async (
  fsType: string,
  answers: Readonly<Record<string, Answer>>,
): Promise<CheckResult | undefined> => {
  const fake = fakeHost(({ program }) => {
    const answer = answers[program];
    return answer === undefined ? null : { exitCode: answer.exitCode ?? 0, stdout: answer.output };
  });
  // The lines of a checker come while it runs.
  const run = async (command: Command) => {
    const result = await fake.run(command);
    for (const line of result.stdout.split('\n')) command.onLine?.(line, 'stdout');
    return result;
  };
  const nothing = async () => {};
  const files = {
    ...{ ensureDirectory: nothing, removeFile: nothing, removeDirectory: nothing },
    freeBytes: async () => 2 ** 40,
  } as unknown as CheckContext['host']['files'];
  const context: CheckContext = {
    host: { ...fake, run, files },
    device: '/dev/vdb2',
    fsType,
    scratchDirectory: '/nowhere',
    onProgress: () => {},
  };
  return fileSystemFor(fsType)?.check(context);
};

const said = (name: string): string => recorded(`fsck/${name}.txt`);

const xfs = (repair: Answer): Readonly<Record<string, Answer>> => ({
  xfs_db: { output: said('xfs-db-geometry') },
  xfs_logprint: { output: said('xfs-logprint-clean') },
  xfs_repair: repair,
});

test('an XFS with features that the tools do not know is not judged', async () => {
  const newer = said('xfs-repair-newer-features');
  const result = await look('xfs', xfs({ exitCode: 1, output: newer }));
  expect(result).toMatchObject({ outcome: 'skipped', needsReplay: false });
  expect(result?.detail).toContain('newer system');
  expect(fileSystemFindings(result === undefined ? [] : [result])).toEqual([]);
});

test('an XFS with a log that waits, whose features the kernel does not know either', async () => {
  const waiting = (repair: Answer): Readonly<Record<string, Answer>> => ({
    ...xfs(repair),
    xfs_logprint: { output: said('xfs-logprint-dirty') },
    ...{ xfs_metadump: { output: '' }, xfs_mdrestore: { output: '' } },
    mount: { exitCode: 32, output: '' },
  });
  const newer = { exitCode: 1, output: said('xfs-repair-newer-features') };
  expect(await look('xfs', waiting(newer))).toMatchObject({ outcome: 'skipped' });
  const damaged = { exitCode: 1, output: said('xfs-repair-wrong-count') };
  const lost = await look('xfs', waiting(damaged));
  expect(lost).toMatchObject({ outcome: 'damaged', needsReplay: true });
  expect(lost?.detail).toContain('--xfs-zero-log');
});

test('an XFS with a bad superblock is damaged, whatever its feature bits have become', async () => {
  const lines = 'Phase 1 - find and verify superblock...\nbad primary superblock - bad CRC !!!\n';
  const bits = 'Superblock has unknown compat/rocompat/incompat features (0x0/0x0/0xc0).\n';
  for (const output of [lines, `${lines}${bits}`, said('xfs-repair-wrong-count')]) {
    const result = await look('xfs', xfs({ exitCode: 1, output }));
    expect(result).toMatchObject({ outcome: 'damaged' });
  }
});

test('a btrfs with features that the tools do not know is not judged', async () => {
  const check = { exitCode: 1, output: said('btrfs-check-newer-features') };
  expect(await look('btrfs', { btrfs: check })).toMatchObject({ outcome: 'skipped' });
  // That it cannot be opened says nothing by itself: so does a damaged one.
  const broken = {
    exitCode: 1,
    output: 'checksum verify failed\nERROR: cannot open file system\n',
  };
  expect(await look('btrfs', { btrfs: broken })).toMatchObject({ outcome: 'damaged' });
});

test('the mark of a FAT that was not unmounted is no damage', async () => {
  const dirty = { exitCode: 1, output: said('fsck-fat-dirty-fat32') };
  const result = await look('vfat', { 'fsck.fat': dirty });
  if (result === undefined) throw new Error('FAT is known');
  expect([isOnlyDirty(result), isDamaged(result)]).toEqual([true, false]);
  expect(fileSystemFindings([result])).toMatchObject([
    { id: 'file-system.not-replayed', severity: 'info', repair: null },
  ]);
});

test('a FAT with the mark and something more is damaged', async () => {
  const output = `${said('fsck-fat-dirty-fat32')}FATs differ but appear to be intact.\n`;
  const result = await look('vfat', { 'fsck.fat': { exitCode: 1, output } });
  if (result === undefined) throw new Error('FAT is known');
  expect(isDamaged(result)).toBe(true);
  expect(fileSystemFindings([result])).toMatchObject([{ id: 'file-system.damaged' }]);
});
