import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDevice } from '../../../fixtures/device.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import { createHost } from '../../host/host.ts';
import { noWishes } from '../../repairs/repair.ts';
import { spaceRepairs } from '../../repairs/space/repairs.ts';
import type { SubjectMount } from '../subject.ts';
import { spaceChecks } from './checks.ts';

const host = createHost();
let directory: string;
let root: string;

const sh = async (script: string) => {
  await host.run({ program: 'sh', args: ['-ec', `cd "$0"\n${script}`, root] });
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-space-'));
  root = join(directory, 'root');
  const image = join(directory, 'image');
  await host.files.makeDirectory(root, 0o755);
  await host.run({ program: 'truncate', args: ['--size=24M', image] });
  await host.run({ program: 'mke2fs', args: ['-q', '-F', '-t', 'ext4', '-N', '512', image] });
  await host.run({ program: 'mount', args: ['-o', 'loop', image, root] });
});

afterAll(async () => {
  await host.run({ program: 'umount', args: [root] });
  await rm(directory, { recursive: true });
});

const look = async (mounts: readonly SubjectMount[] = []) => {
  const disk = makeDevice('/dev/vdb', { fsType: 'ext4', uuid: 'r' });
  const devices = { root: disk, disk, disks: [disk], subvolume: null, volumes: [] };
  const subject = await subjectOf(root, {}, { devices, mounts });
  const findings = (await Promise.all(spaceChecks.map((check) => check.run(subject)))).flat();
  return { subject, findings };
};

const noTools = {
  wishes: noWishes,
  bench: async () => ({ results: [], changes: [] }),
};

it('a real file system out of inodes is told with what took them, and logs give some back', async () => {
  expect((await look()).findings).toEqual([]);
  await sh(`mkdir -p var/log/jobs var/spool/queue
    seq -f 'var/log/jobs/job.%03g' 1 140 | xargs touch
    seq -f 'var/spool/queue/%g' 1 1000 | xargs touch 2>/dev/null || true`);
  const { subject, findings } = await look();
  expect(findings).toMatchObject([
    { id: 'space.no-inodes', severity: 'critical', repair: 'space.drop-logs' },
  ]);
  expect(findings[0]?.evidence[1]).toMatchObject({
    output: expect.stringMatching(/\d+ entries {2}\/var\/spool\/queue/),
  });
  const plan = await spaceRepairs[0]?.plan(subject, findings, noTools);
  if (plan?.kind !== 'changes') throw new Error('nothing was planned');
  for (const change of plan.changes) {
    expect(change).toMatchObject({ kind: 'remove' });
    if ('path' in change) await sh(`rm .${change.path}`);
  }
  expect((await look()).findings).toEqual([]);
});

it('a real file system without room is told with what took it', async () => {
  await sh('mkdir srv; cat /dev/zero > srv/dump 2>/dev/null || true');
  const { findings } = await look();
  expect(findings[0]).toMatchObject({ id: 'space.full-root', severity: 'critical' });
  expect(findings[0]?.evidence[1]).toMatchObject({ output: expect.stringContaining('/srv/dump') });
  await sh('rm srv/dump');
  expect((await look()).findings).toEqual([]);
});

it('data that lies hidden under a mount point is seen, and the mounts stay as they are', async () => {
  await sh('mkdir -p data/backup; cat /dev/zero > data/backup/dump 2>/dev/null || true');
  await sh('mount -t tmpfs tmpfs data; touch data/seen');
  const mount = { spec: 'UUID=d', device: null, fsType: 'tmpfs', options: [], note: null };
  const before = await host.run({ program: 'findmnt', args: ['--raw', '--noheadings'] });
  const { findings } = await look([{ ...mount, target: '/data', state: 'mount' }]);
  expect(findings[0]).toMatchObject({ id: 'space.full-root', severity: 'critical' });
  const [, usage, hidden] = findings[0]?.evidence ?? [];
  expect(usage).toMatchObject({
    output: expect.stringMatching(
      /MiB {2}\/data\/backup\/dump \(hidden: something is mounted on \/data\)/,
    ),
  });
  expect(hidden).toMatchObject({ path: '/data', text: expect.stringMatching(/MiB lie hidden/) });
  const after = await host.run({ program: 'findmnt', args: ['--raw', '--noheadings'] });
  expect(after.stdout).toBe(before.stdout);
  await sh('umount data; rm -r data');
  expect((await look()).findings).toEqual([]);
});
