import { describe, expect, it } from 'vitest';
import { makeDevice } from '../../../fixtures/device.ts';
import { type FakeFile, fakeHost, recorded } from '../../../fixtures/fake-host.ts';
import type { Device } from '../../devices/device.ts';
import type { Command } from '../../host/command.ts';
import { missingProgram } from '../../host/packages.ts';
import type { Step } from '../../host/step.ts';
import type { LayerMode } from '../layer.ts';
import { mdLayer } from './md-layer.ts';

const disk = (name: string, fsType = 'linux_raid_member', uuid = rootUuid): Device =>
  makeDevice(`/dev/${name}`, { fsType, uuid });

/** As blkid writes the UUID that mdadm writes with colons. */
const rootUuid = 'b309b68e-b108-6443-58fc-b39a4c150411';

type Attached = {
  readonly ours: readonly Device[];
  readonly free?: readonly Device[];
  readonly mode?: LayerMode;
  readonly files?: Readonly<Record<string, FakeFile>>;
};

/** vdb and vdc are the halves of the array `root` of `web-3`. */
const examined = ({ program, args }: Command) => {
  const device = args.at(-1)?.replace('/dev/', '') ?? '';
  if (program !== 'mdadm' || args[0] !== '--examine') return null;
  return { stdout: recorded(`mdadm/raid1-${device}.txt`) };
};

const probe = async ({ ours, free = [], mode = 'read-only', files = {} }: Attached) => {
  const host = fakeHost(examined, files);
  const openings = await mdLayer.probe({
    ...{ host, ours, free, mode },
    all: [...ours, ...free],
    session: '41d5',
    directory: '/var/lib/rescuekit/sessions/41d5',
    luksHeaders: [],
  });
  const steps: Step[] = [];
  const perform = async (step: Step) => steps.push(step);
  for (const opening of openings) await opening.open(perform, null);
  return { openings, steps, commands: openings.flatMap(({ commands }) => commands(mode)), host };
};

const lines = (commands: readonly (readonly string[])[]) =>
  commands.map((words) => words.join(' '));

/** An array that holds its members, running or not. */
const arrayFiles = (name: string, state: string, members: readonly string[]) => ({
  [`/sys/class/block/${name}/md/array_state`]: `${state}\n`,
  [`/sys/block/${name}/dev`]: '9:127\n',
  ...Object.fromEntries(
    members.flatMap((member) => [
      [`/sys/class/block/${name}/slaves/${member}/dev`, '254:16\n'],
      [`/sys/class/block/${member}/holders/${name}/dev`, '9:127\n'],
    ]),
  ),
});

describe('arrays on the target', () => {
  it('are assembled from their members and nothing else', async () => {
    const { openings, commands, steps } = await probe({ ours: [disk('vdb')], free: [disk('vdc')] });
    expect(openings).toMatchObject([
      {
        what: 'array root of web-3 (RAID 1, 2 of 2 disks)',
        devices: ['/dev/vdb', '/dev/vdc'],
        rank: 0,
        need: { kind: 'nothing' },
      },
    ]);
    expect(lines(commands)).toEqual([
      'mdadm --assemble --config=none --readonly /dev/md999 /dev/vdb /dev/vdc',
      'mdadm --detail --test /dev/md999',
    ]);
    expect(steps[0]?.undo).toEqual({
      kind: 'stop-array',
      device: '/dev/md999',
      uuid: 'b309b68e:b1086443:58fcb39a:4c150411',
      members: ['/dev/vdb', '/dev/vdc'],
    });
    expect(openings[0]?.aliases['/dev/md999']).toContain('/dev/md/root');
  });

  it('may be written to only where the target may', async () => {
    const attached = { ours: [disk('vdb'), disk('vdc')], mode: 'read-write' } as const;
    const { commands } = await probe(attached);
    expect(commands.flat()).not.toContain('--readonly');
  });

  it('need the person’s word when a member is missing', async () => {
    const { openings, commands } = await probe({ ours: [disk('vdc')] });
    expect(openings).toMatchObject([{ rank: 1, need: { kind: 'consent', consent: 'degraded' } }]);
    expect(lines(commands)[0]).toBe(
      'mdadm --assemble --config=none --readonly --run /dev/md999 /dev/vdc',
    );
  });

  it('are used as they are when they run, and a member beside them is not made another one', async () => {
    const files = arrayFiles('md127', 'read-auto', ['vdb']);
    const { openings, host } = await probe({ ours: [disk('vdb'), disk('vdc')], files });
    expect(openings).toEqual([]);
    expect(host.commands).toEqual([]);
  });

  it('are taken over from udev and given back when it has begun them', async () => {
    const files = arrayFiles('md127', 'inactive', ['vdb']);
    const { commands, steps } = await probe({ ours: [disk('vdb')], files });
    expect(lines(commands).slice(0, 2)).toEqual([
      'mdadm --stop /dev/md127',
      'mdadm --assemble --config=none --readonly --run /dev/md127 /dev/vdb',
    ]);
    expect(steps.map(({ undo }) => undo?.kind)).toEqual(['restore-inactive-array', 'stop-array']);
    expect(steps[0]?.undo).toMatchObject({ device: '/dev/md127', members: ['/dev/vdb'] });
  });

  it('leave the names and the list of the host’s own arrays alone', async () => {
    const files = {
      ...arrayFiles('md999', 'active', ['vdx']),
      '/run/udev/control': '',
    };
    const { commands, steps } = await probe({ ours: [disk('vdb'), disk('vdc')], files });
    expect(steps.map(({ undo }) => undo?.kind)).toEqual(['remove-file', 'stop-array']);
    const assembly = commands.find(([program]) => program === 'unshare')?.join(' ');
    expect(assembly).toContain('/run/mdadm/map && exec');
    expect(assembly).toMatch(/--readonly \/dev\/md998 \/dev\/vdb \/dev\/vdc$/);
  });

  it('of a firmware RAID stay closed with the reason', async () => {
    const { openings } = await probe({ ours: [disk('vdb', 'isw_raid_member', 'x')] });
    expect(openings).toMatchObject([{ need: { kind: 'impossible' }, devices: ['/dev/vdb'] }]);
  });

  it('stay closed on a host without mdadm, naming its package', async () => {
    const host = fakeHost(() => {
      throw missingProgram('mdadm', 'ID=fedora');
    });
    const openings = await mdLayer.probe({
      ...{ host, ours: [disk('vdb')], free: [], all: [], mode: 'read-only' },
      session: '41d5',
      directory: '/tmp',
      luksHeaders: [],
    });
    const [need] = openings.map((opening) => opening.need);
    expect(need?.kind === 'impossible' && need.why).toContain('dnf install mdadm');
  });
});
