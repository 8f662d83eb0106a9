import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { z } from 'zod';
import { makeDiskImage } from '../../fixtures/disk-image.ts';
import { type DiskLayout, diskLayouts } from '../../fixtures/disk-layouts.ts';
import { leanDisk } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { inspectDocumentSchema, type systemDocumentSchema } from './inspect.ts';

type System = z.infer<typeof systemDocumentSchema>;

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const inspect = async (file: string): Promise<readonly System[]> => {
  const answer = await lab.kit(['inspect', file, '--json']);
  expect(answer.exitCode, answer.stderr).toBe(0);
  return answer.json(inspectDocumentSchema).systems;
};

const only = (systems: readonly System[]): System => {
  const [system] = systems;
  if (system === undefined || systems.length !== 1) throw new Error(`${systems.length} systems`);
  return system;
};

const disk = async (layout: DiskLayout): Promise<string> => {
  const file = `${lab.directory}/disk.raw`;
  await makeDiskImage(lab.host, { file, layout });
  return file;
};

/** What each layout's document must say: its root, and mount points with partition numbers. */
const expected = {
  gpt: { root: /p4$/, subvolume: null, mounts: { '/': 4, '/boot': 3, '/boot/efi': 2 } },
  xfs: { root: /p3$/, subvolume: null, mounts: { '/': 3, '/boot': 2, '/boot/efi': 1 } },
  btrfs: {
    root: /p3$/,
    subvolume: '@',
    mounts: { '/': 3, '/boot': 2, '/boot/efi': 1, '/home': 3 },
  },
  separate: {
    root: /p8$/,
    subvolume: null,
    mounts: { '/': 8, '/boot': 3, '/boot/efi': 2, '/home': 6, '/usr': 4, '/var': 5 },
  },
  mbr: { root: /p6$/, subvolume: null, mounts: { '/': 6, '/boot': 1 } },
  whole: { root: /loop\d+$/, subvolume: null, mounts: { '/': null } },
} as const;

it.each(Object.keys(expected) as readonly (keyof typeof expected)[])(
  'tells all about the system on a disk of layout %s',
  async (name) => {
    const { root, subvolume, mounts } = expected[name];
    const system = only(await inspect(await disk(diskLayouts[name])));
    expect(system).toMatchObject({
      os: { id: 'debian', versionId: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' },
      hostname: 'web-3',
      architecture: 'x86_64',
      init: 'systemd',
      kernels: [],
      subvolume,
    });
    expect(system.root).toMatch(root);
    const [loop = ''] = /^\/dev\/loop\d+/.exec(system.root ?? '') ?? [];
    expect(system.disks).toEqual([loop]);
    const kinds = system.layers.map(({ kind }) => kind);
    expect(kinds).toEqual(system.root === loop ? ['loop'] : ['loop', 'partition']);
    expect(system.layers.at(-1)?.device).toBe(system.root);
    const found = system.mounts.filter(({ target }) => target.startsWith('/'));
    const devices = Object.fromEntries(found.map(({ target, device }) => [target, device]));
    const wanted = Object.entries(mounts).map(([target, number]) => [
      target,
      number === null ? loop : `${loop}p${number}`,
    ]);
    expect(devices).toEqual(Object.fromEntries(wanted));
    expect(found.every(({ spec }) => spec.startsWith('UUID='))).toBe(true);
  },
);

it.each(['label', 'partuuid'] as const)('finds the devices that fstab names by %s', async (by) => {
  const { file } = await leanDisk(lab, 'separate', { fstabBy: by });
  const { mounts } = only(await inspect(file));
  expect(mounts.map(({ target, state }) => `${target} ${state}`)).toEqual([
    '/ mount',
    '/var mount',
    '/boot mount',
  ]);
});

it('gives kernels their initramfs, and a missing disk of fstab the device null', async () => {
  // Two kernels, one of them without an initramfs; only their headers matter.
  const kernel = (version: string) =>
    `head -c 4096 /dev/zero > "$1/boot/vmlinuz-${version}"; printf 'HdrS' | dd of="$1/boot/vmlinuz-${version}" bs=1 seek=514 conv=notrunc status=none; mkdir -p "$1/lib/modules/${version}"`;
  const { file } = await leanDisk(lab, 'separate', {
    extraFstab: ['/dev/disk/by-uuid/0000-none /srv/data xfs nofail 0 2'],
    customize: [
      kernel('6.1.0-13-amd64'),
      kernel('6.1.0-9-amd64'),
      `printf '\\037\\213' > "$1/boot/initrd.img-6.1.0-9-amd64"`,
    ],
  });
  const system = only(await inspect(file));
  expect(system.kernels.map(({ version, initramfs }) => [version, initramfs])).toEqual([
    ['6.1.0-13-amd64', null],
    ['6.1.0-9-amd64', '/boot/initrd.img-6.1.0-9-amd64'],
  ]);
  expect(system.mounts.find(({ target }) => target === '/srv/data')).toMatchObject({
    spec: '/dev/disk/by-uuid/0000-none',
    device: null,
    state: 'missing',
    fsType: 'xfs',
    options: ['nofail'],
  });
});

it('tells two systems on one disk apart, and rescue asks which', async () => {
  const small = await leanDisk(lab, 'whole', { name: 'second', hostname: 'db-1' });
  const file = `${lab.directory}/two.raw`;
  const table = 'label: gpt\nsize=360MiB\nsize=360MiB\n';
  const first = await leanDisk(lab, 'whole', { name: 'first' });
  await lab.run('truncate', '--size=724M', file);
  await lab.host.run({ program: 'sfdisk', args: ['--quiet', file], input: table });
  for (const [index, from] of [first.file, small.file].entries()) {
    const to = [`of=${file}`, 'bs=1M', `seek=${1 + index * 360}`, 'conv=notrunc,sparse'];
    await lab.run('dd', `if=${from}`, ...to, 'status=none');
  }
  const systems = await inspect(file);
  expect(systems.map(({ hostname }) => hostname)).toEqual(['web-3', 'db-1']);
  const name = systems[1]?.name ?? '';
  const asked = await lab.kit(['rescue', file, '--exec', 'hostname']);
  expect(asked.exitCode).toBe(2);
  expect(asked.stderr).toContain(`${name} (Debian GNU/Linux 12 (bookworm) "db-1")`);
  expect(asked.stderr).toContain('--system');
  // The loop device of an image may be another one the next time, its partition is not.
  expect(name).toBe('p2');
  const chosen = await lab.kit(['rescue', file, '--exec', 'hostname', '--system', name]);
  expect(chosen.exitCode, chosen.stderr).toBe(0);
  expect(chosen.stdout).toBe('db-1\n');
});

it('tells about a directory tree, which has no devices', async () => {
  const tree = `${lab.directory}/tree`;
  await lab.run('sh', '-c', 'mkdir -p "$0/etc" "$0/usr/bin" && ln -s usr/bin "$0/bin"', tree);
  await lab.run(
    'sh',
    '-c',
    'echo "ID=alpine" > "$0/etc/os-release"; echo box > "$0/etc/hostname"',
    tree,
  );
  await lab.run('sh', '-c', 'echo "127.0.0.1 localhost" > "$0/etc/hosts"', tree);
  expect(only(await inspect(tree))).toMatchObject({
    os: { id: 'alpine' },
    hostname: 'box',
    root: null,
    layers: [],
    disks: [],
    mounts: [],
  });
});
