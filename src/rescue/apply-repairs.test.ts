import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { subjectOf } from '../../fixtures/subject.ts';
import type { Change } from '../changes/change.ts';
import { openChangeLog } from '../changes/change-log.ts';
import { createHost } from '../host/host.ts';
import { noWishes, type Repair } from '../repairs/repair.ts';
import { applyRepair, type Workplace } from './apply-repairs.ts';

const host = createHost();
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-apply-'));
  await mkdir(join(directory, 'root/etc'), { recursive: true });
  await writeFile(join(directory, 'root/etc/hostname'), 'web-3\n');
});
afterEach(() => rm(directory, { recursive: true }));

const nameIt: Change = { kind: 'write-file', path: '/etc/hostname', content: 'web-4\n' };
const bootCode: Change = {
  ...{ kind: 'write-bytes', device: join(directory, 'disk'), offsetBytes: 0 },
  ...{ bytes: Buffer.alloc(440), what: 'boot code of the MBR' },
};

const repairOf = (changes: readonly Change[], proof: Repair['proof']): Repair => ({
  ...{ id: 'boot-loader.install', stage: 'boot-loader', title: 'Install it', why: '', risk: '' },
  proof,
  plan: async () => ({ kind: 'changes', changes, commands: [] }),
});

const apply = async (
  changes: readonly Change[],
  more: Partial<Workplace>,
  proof: Repair['proof'] = 'vm',
) => {
  const place: Workplace = {
    subject: await subjectOf(join(directory, 'root')),
    log: await openChangeLog(host, directory),
    logDirectory: directory,
    tools: { wishes: noWishes, bench: async () => ({ results: [], changes: [] }) },
    ...{ writesDisks: false, filesOnly: false, ...more },
  };
  return applyRepair(place, repairOf(changes, proof), []);
};

const hostname = () => readFile(join(directory, 'root/etc/hostname'), 'utf8');

it('does nothing of a repair that writes outside of files where only files are committed', async () => {
  const outcome = await apply([nameIt, bootCode], { filesOnly: true });
  expect(outcome).toMatchObject({
    kind: 'refused',
    refused: { id: 'boot-loader.install', reason: expect.stringContaining('committed') },
  });
  expect(await hostname()).toBe('web-3\n');
});

it('makes the changes of files there', async () => {
  expect(await apply([nameIt], { filesOnly: true })).toMatchObject({ kind: 'applied' });
  expect(await hostname()).toBe('web-4\n');
});

it('names the boot that shows it by what was changed, where the repair says so', async () => {
  const proofOf = async (path: string) => {
    await mkdir(join(directory, 'root/boot'), { recursive: true });
    const change: Change = { kind: 'write-file', path, content: 'new\n' };
    const outcome = await apply([change], {}, 'by-paths');
    return outcome.kind === 'applied' ? outcome.applied.proof : outcome.kind;
  };
  expect(await proofOf('/etc/hostname')).toBe('container');
  expect(await proofOf('/boot/initrd.img-6.1')).toBe('vm');
});
