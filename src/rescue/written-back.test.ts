import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTree, type TreeEntry } from '../../fixtures/make-tree.ts';
import { toolsWithoutBench } from '../../fixtures/repair-tools.ts';
import { subjectOf } from '../../fixtures/subject.ts';
import { openChangeLog } from '../changes/change-log.ts';
import { createHost } from '../host/host.ts';
import { mendLines } from '../repairs/fstab/mend-lines.ts';
import { applyRepair } from './apply-repairs.ts';

const host = createHost();

const mend = async (table: TreeEntry) => {
  await using tree = await makeTree({ 'etc/fstab': table });
  const logDirectory = await mkdtemp(join(tmpdir(), 'rescuekit-written-'));
  try {
    const place = {
      subject: await subjectOf(tree.root),
      log: await openChangeLog(host, logDirectory),
      ...{ logDirectory, tools: toolsWithoutBench(), writesDisks: false, filesOnly: true },
    };
    const outcome = await applyRepair(place, mendLines, []);
    return { outcome, written: await readFile(join(tree.root, 'etc/fstab')) };
  } finally {
    await rm(logDirectory, { recursive: true });
  }
};

test('bytes that are no UTF-8 reach the disk as they were', async () => {
  const lines = '# caf\xe9\n/dev/b /mnt/donn\xe9es ext4 sw 0 0\n';
  const before = `/dev/a /srv ext4 defaults, noatime 0 0\n${lines}`;
  const { outcome, written } = await mend(Buffer.from(before, 'latin1'));
  expect(outcome).toMatchObject({
    kind: 'applied',
    applied: {
      changes: [{ diff: expect.arrayContaining([' /dev/b /mnt/donn\\xe9es ext4 sw 0 0']) }],
    },
  });
  expect(written.toString('latin1')).toBe(`/dev/a /srv ext4 defaults,noatime 0 0\n${lines}`);
});

test('a file that is too large is left alone, and the repair says so', async () => {
  const { outcome, written } = await mend({ sizeBytes: 17 * 1024 * 1024 });
  expect(outcome).toMatchObject({
    kind: 'refused',
    refused: { reason: expect.stringContaining('/etc/fstab is not edited') },
  });
  expect(written.length).toBe(17 * 1024 * 1024);
});
