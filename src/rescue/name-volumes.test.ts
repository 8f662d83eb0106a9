import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../fixtures/device.ts';
import { type FakeFile, fakeHost } from '../../fixtures/fake-host.ts';
import type { Step } from '../host/step.ts';
import { parseCrypttab } from '../system-image/crypttab.ts';
import { nameVolumes } from './name-volumes.ts';
import type { Session } from './session.ts';
import type { FoundSystem } from './survey.ts';

const openedAs = 'rescuekit-7f3a-vdb3';
const volume = makeDevice('/dev/dm-0', {
  ...{ kind: 'luks', fsType: 'ext4', aliases: [`/dev/mapper/${openedAs}`] },
});
const container = makePartition('/dev/vdb3', 3, {
  ...{ fsType: 'crypto_LUKS', uuid: 'aaaa', children: [volume] },
});
const disk = makeDevice('/dev/vdb', { children: [container] });

const systemWith = (crypttab: string): FoundSystem =>
  ({
    place: { device: volume, disk, disks: [disk], subvolume: null },
    facts: { crypttab: parseCrypttab(crypttab) },
    mounts: [{ target: '/', device: `/dev/mapper/${openedAs}` }],
  }) as unknown as FoundSystem;

const mapping = (node: string, name: string, uuid: string): Record<string, FakeFile> => ({
  [`/sys/class/block/${node}/dm/name`]: name,
  [`/sys/class/block/${node}/dm/uuid`]: uuid,
  [`/sys/class/block/${node}/dev`]: '253:0',
});

const run = async (crypttab: string, others: Readonly<Record<string, FakeFile>> = {}) => {
  const own = mapping('dm-0', openedAs, `CRYPT-LUKS2-aaaa-${openedAs}`);
  const steps: Step[] = [];
  const notes: string[] = [];
  const session = {
    id: '7f3a',
    host: fakeHost(() => ({}), { ...own, ...others }),
    perform: async (step: Step) => steps.push(step),
  } as unknown as Session;
  const system = await nameVolumes(session, systemWith(crypttab), (text) => notes.push(text));
  const words = steps.flatMap(({ commands }) => commands.map(({ args }) => args.join(' ')));
  return { system, words, notes };
};

test('a volume gets the name of its crypttab line, and so do the mounts on it', async () => {
  const { system, words } = await run('web3_crypt UUID=aaaa none luks');
  expect(words).toEqual([`rename ${openedAs} web3_crypt`]);
  expect(system.mounts[0]?.device).toBe('/dev/mapper/web3_crypt');
  expect(system.place?.device.aliases).toEqual(['/dev/mapper/web3_crypt']);
  // The root is still the very device of the tree.
  expect(system.place?.disk.children[0]?.children[0]).toBe(system.place?.device);
});

test('a name that is taken on this machine is left to its owner, and a line says so', async () => {
  const other = mapping('dm-7', 'web3_crypt', 'CRYPT-LUKS2-bbbb-web3_crypt');
  const { system, words, notes } = await run('web3_crypt UUID=aaaa none luks', other);
  expect(words).toEqual([]);
  expect(system.mounts[0]?.device).toBe(`/dev/mapper/${openedAs}`);
  expect(notes[0]).toContain('web3_crypt');
});

test('a name that would be another path is not used', async () => {
  const { words, notes } = await run('../../etc/x UUID=aaaa none luks');
  expect(words).toEqual([]);
  expect(notes).toHaveLength(1);
});

test('a volume that somebody else opened keeps its name', async () => {
  const theirs = { ...volume, aliases: ['/dev/mapper/theirs'] };
  const system = systemWith('web3_crypt UUID=aaaa none luks');
  const foreign = { ...disk, children: [{ ...container, children: [theirs] }] };
  const session = { id: '7f3a', host: fakeHost(() => null) } as unknown as Session;
  const place = { device: theirs, disk: foreign, disks: [foreign], subvolume: null };
  const after = await nameVolumes(session, { ...system, place }, () => {});
  expect(after.place?.device).toBe(theirs);
});
