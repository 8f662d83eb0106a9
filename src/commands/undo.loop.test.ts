import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { debianTree, debianTrees } from '../../fixtures/base-tree.ts';
import type { MadeDisk } from '../../fixtures/disk-image.ts';
import { leanDisk, withMounted } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab, type RunOptions } from '../../fixtures/rescuekit.ts';
import { repairDocumentSchema } from './repair.ts';
import { undoDocumentSchema } from './undo.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const nologin = 'etc/nologin';

const isThere = async (path: string): Promise<boolean> =>
  (await lab.host.files.status(path)) !== null;

/** Takes /etc/nologin away; gives the session. Whatever else is found is no matter here. */
const mend = async (target: string, options: RunOptions = {}): Promise<string> => {
  const words = ['--only', 'access.remove-nologin', '--yes', '--proof', 'none', '--json'];
  const answer = await lab.kit(['repair', target, ...words], options);
  const { applied, session } = answer.json(repairDocumentSchema);
  expect(applied.map(({ id }) => id)).toEqual(['access.remove-nologin']);
  return session;
};

const undo = async (...words: readonly string[]) => {
  const answer = await lab.kit(['undo', ...words, '--json']);
  return { exitCode: answer.exitCode, ...answer.json(undoDocumentSchema) };
};

const refusedUndo = async (...words: readonly string[]) => {
  const answer = await lab.kit(['undo', ...words, '--json']);
  return { exitCode: answer.exitCode, ...answer.error() };
};

describe('another disk under the name of the one that was repaired', () => {
  const shutOut = (disk: MadeDisk) =>
    withMounted(lab, disk, '/', (root) =>
      lab.host.files.writeText(join(root, nologin), 'shut\n', 0o644),
    );
  const isShut = (disk: MadeDisk) =>
    withMounted(lab, disk, '/', (root) => isThere(join(root, nologin)));

  it('gets nothing of it, and the right one is found where it is named', async () => {
    const own = await leanDisk(lab, 'ext4', { name: 'own' });
    // Made anew: the kept images are copies of each other, and a copy is the same disk.
    const other = await leanDisk(lab, 'ext4', { name: 'other', cache: false });
    await shutOut(own);
    const session = await mend(own.file);

    const moved = { ...own, file: join(lab.directory, 'moved.raw') };
    const instead = { ...other, file: own.file };
    await rename(own.file, moved.file);
    await rename(other.file, instead.file);
    const before = await lab.sum(instead.file);
    for (const words of [[], ['--force'], ['--disk', instead.file]]) {
      expect(await refusedUndo(session, ...words)).toMatchObject({
        ...{ exitCode: 4, code: 'OTHER_DISK' },
        message: expect.stringContaining('UUID'),
        hint: expect.stringContaining(`rescuekit undo ${session} --disk DISK`),
      });
    }
    expect(await lab.sum(instead.file)).toBe(before);
    expect(await isShut(moved)).toBe(false);

    const back = await undo(session, '--disk', moved.file);
    expect(back).toMatchObject({ exitCode: 0, undone: ['/etc/nologin'], left: [] });
    expect(await isShut(moved)).toBe(true);
  });

  it('is no other one when it is a copy, or the image on a loop device', async () => {
    const own = await leanDisk(lab, 'ext4', { name: 'copied' });
    await shutOut(own);
    const session = await mend(own.file);
    const copy = { ...own, file: join(lab.directory, 'copy.raw') };
    await lab.run('cp', '--sparse=always', own.file, copy.file);
    const loop = (await lab.run('losetup', '--find', '--show', '--partscan', copy.file)).trim();
    try {
      expect(await undo(session, '--disk', loop)).toMatchObject({ exitCode: 0, left: [] });
    } finally {
      await lab.run('losetup', '--detach', loop);
    }
    expect(await isShut(copy)).toBe(true);
    expect(await isShut(own)).toBe(false);
  });
});

describe('a directory', () => {
  const makeTree = async (path: string): Promise<void> => {
    await lab.run('mkdir', '--parents', join(path, '..'));
    await lab.run('cp', '-a', await debianTree(lab.host, debianTrees.small), path);
  };

  it('is found again from anywhere, shown first, and is no other of the same name', async () => {
    const [here, there] = [join(lab.directory, 'here'), join(lab.directory, 'there')];
    await makeTree(join(here, 'tree'));
    await makeTree(join(there, 'tree'));
    await lab.host.files.writeText(join(here, 'tree', nologin), 'shut\n', 0o644);
    const session = await mend('tree', { through: ['env', `--chdir=${here}`] });

    const words = ['undo', session, '--dry-run', '--json'];
    const planned = await lab.kit(words, { through: ['env', `--chdir=${there}`] });
    expect(planned.exitCode, planned.stderr).toBe(0);
    expect(planned.json(undoDocumentSchema)).toMatchObject({
      ...{ session, dryRun: true, undone: ['/etc/nologin'], left: [] },
    });
    expect(await isThere(join(here, 'tree', nologin))).toBe(false);

    await rename(join(here, 'tree'), join(here, 'moved'));
    await rename(join(there, 'tree'), join(here, 'tree'));
    expect(await refusedUndo(session)).toMatchObject({ exitCode: 4, code: 'OTHER_DISK' });
    expect(await isThere(join(here, 'tree', nologin))).toBe(false);

    const back = await undo(session, '--disk', join(here, 'moved'));
    expect(back).toMatchObject({ exitCode: 0, dryRun: false, undone: ['/etc/nologin'] });
    expect(await isThere(join(here, 'moved', nologin))).toBe(true);
  });

  it('on which a repair that was named is refused ends with exit code 3', async () => {
    const tree = join(lab.directory, 'whole');
    await makeTree(tree);
    const key = join(lab.directory, 'key.pub');
    await lab.host.files.writeText(key, `ssh-ed25519 ${'A'.repeat(68)} admin\n`, 0o644);
    const named = ['--only', 'access.authorized-key', '--authorized-key', key, '--user', 'nosuch'];
    const words = ['repair', tree, ...named, '--yes', '--proof', 'none', '--json'];
    const answer = await lab.kit(words);
    const { applied, refused, remaining } = answer.json(repairDocumentSchema);
    expect({ applied, remaining }).toEqual({ applied: [], remaining: [] });
    expect(refused.map(({ id }) => id)).toEqual(['access.authorized-key']);
    expect(answer.exitCode).toBe(3);
  });
});
