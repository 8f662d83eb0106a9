import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootableCopy } from '../../fixtures/bootable/bootable-image.ts';
import { patientSpec, withPatient } from '../../fixtures/broken/patient.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { repairDocumentSchema } from '../commands/repair.ts';
import { undoDocumentSchema } from '../commands/undo.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});
afterAll(() => lab.close());

/** A system whose /boot counts links that are not there, which only e2fsck mends. */
const damaged = async () => {
  const directory = await mkdtemp(join(lab.directory, 'damaged-'));
  const disks = await bootableCopy(lab.host, patientSpec(), directory);
  const [{ file, partitions }] = disks;
  const boot = partitions.find(({ mount }) => mount === '/boot');
  const place = `${file}?offset=${boot?.startBytes}`;
  await lab.run('debugfs', '-w', '-R', 'sif /grub links_count 9', place);
  return { disks, file };
};

const repair = async (...words: readonly string[]) => {
  const answer = await lab.kit(['repair', ...words, '--yes', '--proof', 'none', '--json']);
  return { ...answer.json(repairDocumentSchema), exitCode: answer.exitCode };
};

describe('the repair of a file system', () => {
  it('is shown, reported and taken back to the byte where nothing else was to be done', async () => {
    const { file } = await damaged();
    const before = await lab.sum(file);
    const planned = await repair(file, '--dry-run');
    expect(planned.applied).toMatchObject([{ id: 'file-system.repair', commandsOn: 'disk' }]);
    expect(await lab.sum(file)).toBe(before);

    const done = await repair(file);
    expect(done.found.map(({ id }) => id)).toContain('file-system.damaged');
    expect(done.applied).toMatchObject([
      { id: 'file-system.repair', irreversible: null, proof: 'vm' },
    ]);
    expect(done).toMatchObject({ remaining: [], exitCode: 0 });

    const { session } = done;
    const back = await lab.kit(['undo', session, '--json']);
    expect(back.json(undoDocumentSchema).left).toEqual([]);
    expect(await lab.sum(file)).toBe(before);
  });

  it('cannot be taken back where other repairs write to it, and says so beforehand', async () => {
    const { file, disks } = await damaged();
    await withPatient(lab, disks, 'rw', async (patient) => {
      await patient.remove('etc/hostname');
      await patient.remove('etc/passwd');
    });
    const planned = await repair(file, '--dry-run');
    const [first, ...others] = planned.applied;
    expect(first).toMatchObject({
      id: 'file-system.repair',
      irreversible: expect.stringContaining('--only file-system.repair'),
    });
    expect(others.length).toBeGreaterThan(0);
    const alone = await repair(file, '--only', 'file-system.repair');
    expect(alone.applied).toMatchObject([{ id: 'file-system.repair', irreversible: null }]);
  });
});
