import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { leanDisk, withMounted } from '../../../fixtures/lean-disk.ts';
import { type Lab, openLab } from '../../../fixtures/rescuekit.ts';
import { repairDocumentSchema } from '../../commands/repair.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});
afterAll(() => lab.close());

it('finds subvolumes that are gone or were made anew, as the kernel sees them', async () => {
  const disk = await leanDisk(lab, 'btrfs');
  const table = (top: string) => join(top, '@/etc/fstab');
  const uuid = disk.partitions.find(({ mount }) => mount === '/')?.uuid ?? '';
  await withMounted(lab, disk, '/', async (top) => {
    const text = await readFile(table(top), 'utf8');
    expect(text).toMatch(/ ?subvol=@home/);
    const replaced = text.replace('subvol=@home', 'subvolid=999,subvol=/@home');
    await writeFile(table(top), `${replaced}UUID=${uuid} /srv btrfs subvol=@gone 0 0\n`);
    await lab.run('mkdir', '--parents', join(top, '@/srv'));
  });

  const answer = await lab.kit(['repair', disk.file, '--yes', '--proof', 'none', '--json']);
  const { found, remaining } = answer.json(repairDocumentSchema);
  const ours = found.filter(({ id }) => id === 'fstab.subvolume');
  expect(ours.map(({ severity, repair }) => `${severity} ${repair}`).toSorted()).toEqual([
    'critical fstab.nofail',
    'critical fstab.set-subvolume',
  ]);
  expect(remaining.filter(({ id }) => id === 'fstab.subvolume')).toEqual([]);
  await withMounted(lab, disk, '/', async (top) => {
    const text = await readFile(table(top), 'utf8');
    expect(text).toMatch(/\s\/home\s+btrfs\s+\S*subvol=\/@home\s/);
    expect(text).not.toContain('subvolid');
    expect(text).toMatch(/\s\/srv btrfs subvol=@gone,nofail\S* 0 0$/m);
  });
});
