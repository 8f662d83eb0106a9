import { mkdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { cpioArchive, cpioMember } from '../../../fixtures/make-cpio.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { makeUki } from '../../../fixtures/make-uki.ts';
import { smallDebian } from '../../../fixtures/small-debian.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { Device } from '../../devices/device.ts';
import { createHost, type Host } from '../../host/host.ts';
import { fstabRepairs } from '../../repairs/fstab/repairs.ts';
import { noWishes, type RepairPlan } from '../../repairs/repair.ts';
import { parseCrypttab } from '../../system-image/crypttab.ts';
import type { SystemFacts } from '../../system-image/system-facts.ts';
import type { Finding } from '../finding.ts';
import type { Subject, SubjectMount } from '../subject.ts';
import { isEvidentBoot } from './boot-evidence.ts';
import { fstabChecks } from './checks.ts';

const espType = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const esp = makePartition('/dev/vdb1', 1, {
  fsType: 'vfat',
  uuid: '1B2C-3D4E',
  partition: { number: 1, startBytes: 1 << 20, uuid: null, label: null, type: espType },
});
const boot = makePartition('/dev/vdb2', 2, { fsType: 'ext4', uuid: 'b007' });
const root = makePartition('/dev/vdb3', 3, { fsType: 'ext4', uuid: 'r007' });
const swap = makePartition('/dev/vdb4', 4, { fsType: 'swap', uuid: '5a9' });

type World = {
  readonly top?: Device;
  readonly children?: readonly Device[];
  readonly tree?: Readonly<Record<string, TreeEntry>>;
  readonly facts?: Partial<SystemFacts>;
  readonly mounts?: Subject['mounts'];
  readonly deployment?: string;
  /** What lies at the top of file systems that are not mounted; others cannot be read. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
};

/** debugfs as it lists the top of an ext file system. */
const hostWith = (names: NonNullable<World['names']>): Host => {
  const real = createHost();
  const run: Host['run'] = async (command) => {
    if (command.program !== 'debugfs') return real.run(command);
    const known = names[command.args.at(-1) ?? ''];
    const lines = ['.', '..', ...(known ?? [])].map((name) => `/2/040755/0/0/${name}//\n`);
    const stdout = known === undefined ? '' : lines.join('');
    return { exitCode: 0, stdout, stderr: '', milliseconds: 0 };
  };
  return { ...real, run };
};

const ofBoot = { '/dev/vdb2': ['lost+found', 'efi', 'grub', 'vmlinuz-6.1.0'] };
const ofHome = { '/dev/vdb2': ['lost+found', 'ada'] };

const within = async <T>(
  table: string | null,
  { top = root, children = [esp, boot, root, swap], tree = {}, facts = {}, ...more }: World,
  work: (subject: Subject) => Promise<T>,
): Promise<T> => {
  const { 'etc/fstab': _, ...rest } = smallDebian;
  await using made = await makeTree({
    ...rest,
    'usr/lib/modules/6.1.0/modules.alias': 'alias fs-oddfs oddfs\n',
    ...(table === null ? {} : { 'etc/fstab': table }),
    ...tree,
  });
  const disk = makeDevice('/dev/vdb', { partitionTable: 'gpt', children });
  const devices = { root: top, disk, disks: [disk], subvolume: null, volumes: [] };
  const around = {
    ...{ devices, mounts: more.mounts ?? [], host: hostWith(more.names ?? {}) },
    deployment: more.deployment ?? '',
  };
  return await work(await subjectOf(made.root, { init: 'systemd', ...facts }, around));
};

const look = async (subject: Subject): Promise<readonly Finding[]> =>
  (await Promise.all(fstabChecks.map((check) => check.run(subject)))).flat();

const short = (findings: readonly Finding[]) =>
  findings.map(({ severity, id, repair }) => `${severity} ${id} ${repair}`);

const found = (table: string | null, world: World = {}) =>
  within(table, world, async (subject) => short(await look(subject)));

const noTools = {
  wishes: noWishes,
  bench: async () => ({ results: [], changes: [] }),
};

const contentOf = (plan: RepairPlan): string => {
  if (plan.kind === 'refused') return `refused: ${plan.reason}`;
  const [change] = plan.changes.filter(({ kind }) => kind === 'write-file');
  return change?.kind === 'write-file' ? String(change.content) : 'no change';
};

/** The table after the repair that the first finding with one names. */
const mended = (table: string | null, world: World = {}) =>
  within(table, world, async (subject) => {
    const findings = await look(subject);
    const id = findings.find(({ repair }) => repair !== null)?.repair;
    const repair = fstabRepairs.find((one) => one.id === id);
    if (repair === undefined) return 'nothing to mend';
    const mine = findings.filter((one) => one.repair === id);
    return contentOf(await repair.plan(subject, mine, noTools));
  });

const rootLine = 'UUID=r007 / ext4 errors=remount-ro 0 1\n';

describe('a healthy table gives nothing', () => {
  test.each([
    rootLine,
    `${rootLine}UUID=b007 /boot ext4\tdefaults 0 2\nUUID=1B2C-3D4E /boot/efi vfat umask=0077,shortname=winnt 0 1\nUUID=5a9 none swap sw 0 0\n`,
    `# comment\n\nUUID="r007" / ext4 defaults\n/dev/sr0 /media/cdrom udf,iso9660 user,noauto 0 0\n`,
    `${rootLine}tmpfs /tmp tmpfs nosuid,size=2G 0 0\nnas:/export /nas nfs defaults,_netdev 0 0\n/srv/a /srv/b none bind 0 0\n`,
    `${rootLine}UUID=gone /x ext4 noauto,user 0 0\nUUID=gone /y ext4 noauto,x-systemd.automount,nofail 0 0\n`.replace(
      /^UUID=gone \/y.*\n/m,
      '',
    ),
    `${rootLine}rpool/data /data zfs defaults 0 0\nbucket /s3 fuse.s3fs _netdev,allow_other 0 0\n//nas/x /mnt/x cifs credentials=/root/c 0 0\n`,
    `${rootLine}/dev/zram0 none swap defaults,pri=100 0 0\n`,
    `${rootLine}LABEL=x /odd oddfs noauto 0 0\nnone /weird oddfs defaults 0 0\n`,
  ])('%j', async (table) => {
    expect(await found(table)).toEqual([]);
  });

  test('a directory has no devices that could be missing', async () => {
    await using made = await makeTree(smallDebian);
    expect(short(await look(await subjectOf(made.root)))).toEqual([]);
  });
});

describe('missing devices', () => {
  test.each([
    ['UUID=gone /data ext4 defaults 0 2', 'critical fstab.missing-device fstab.nofail'],
    ['UUID=gone /data ext4 nofail 0 2', 'info fstab.optional-device null'],
    ['UUID=gone /data ext4 _netdev 0 2', 'warning fstab.missing-device fstab.nofail'],
    ['UUID=gone /usr ext4 defaults 0 2', 'critical fstab.missing-device null'],
    ['/dev/vg0/data /data xfs defaults 0 0', 'critical fstab.missing-device fstab.nofail'],
  ])('%s', async (line, wanted) => {
    const children = [esp, root];
    expect(await found(`${rootLine}${line}\n`, { children })).toEqual([wanted]);
  });

  test('names that depend on the machine are told, and those that are right on none are mended', async () => {
    const table = '/dev/sda3 / ext4 defaults 0 1\n/dev/sda2 /boot ext4 defaults 0 2\n';
    const names = ['info fstab.kernel-name null', 'info fstab.kernel-name null'];
    expect(await found(table)).toEqual(names);
    const old = table.replaceAll('sda', 'hda');
    expect(await found(old)).toEqual([
      'critical fstab.wrong-root fstab.set-device',
      'critical fstab.missing-device fstab.set-device',
    ]);
    const mended = await within(old, {}, async (subject) => {
      const repair = fstabRepairs.find(({ id }) => id === 'fstab.set-device');
      return repair?.plan(subject, await look(subject), noTools);
    });
    expect(mended === undefined ? '' : contentOf(mended)).toBe(
      'UUID=r007 / ext4 defaults 0 1\nUUID=b007 /boot ext4 defaults 0 2\n',
    );
    expect(await found('/dev/sda9 / ext4 defaults 0 1\n')).toEqual([
      'critical fstab.wrong-root fstab.set-device',
    ]);
  });

  test('swap that is gone is a warning, and the only unnamed swap takes its place', async () => {
    const table = `${rootLine}UUID=b007 /boot ext4 defaults 0 2\nUUID=gone  none\tswap sw 0 0\n`;
    expect(await found(table)).toEqual(['warning fstab.missing-swap fstab.set-device']);
    expect(await mended(table)).toContain('UUID=5a9  none\tswap sw 0 0\n');
  });

  test('the only unnamed file system whose mount point is empty is what /boot means', async () => {
    const table = `${rootLine}UUID=gone /boot ext4 defaults 0 2\n`;
    expect(await mended(table)).toBe(`${rootLine}UUID=b007 /boot ext4 defaults 0 2\n`);
    const other = makePartition('/dev/vdb5', 5, { fsType: 'ext4', uuid: 'other' });
    expect(await mended(table, { children: [boot, root, other] })).toContain('nofail');
  });

  test('what lies in a file system rules out that it is another place', async () => {
    const gone = (target: string) => `${rootLine}UUID=gone ${target} ext4 defaults 0 2\n`;
    const isSet = async (target: string, names: World['names'] = {}) =>
      (await mended(gone(target), { names })).includes('UUID=b007');
    expect(await isSet('/boot', ofBoot)).toBe(true);
    expect(await isSet('/boot', ofHome)).toBe(false);
    expect(await isSet('/data', ofBoot)).toBe(false);
    expect(await isSet('/data', ofHome)).toBe(true);
    expect(await isSet('/data')).toBe(true);
  });

  test('a UUID in other letter case is not found by udev and is written as it is', async () => {
    const table = `${rootLine}UUID=1b2c-3d4e /boot/efi vfat defaults 0 1\n`;
    expect(await found(table)).toEqual(['critical fstab.missing-device fstab.set-device']);
    expect(await mended(table)).toContain('UUID=1B2C-3D4E /boot/efi');
  });

  test('what may be inside a locked volume is not called missing', async () => {
    const locked = makePartition('/dev/vdb6', 6, { fsType: 'crypto_LUKS' });
    const children = [esp, boot, root, locked];
    expect(await found(`${rootLine}UUID=gone /data ext4 defaults 0 2\n`, { children })).toEqual([
      'info fstab.missing-device null',
    ]);
  });

  test('the scripts of sysvinit stop only where the device is to be checked', async () => {
    const facts = { init: 'sysvinit' } as const;
    const world = { facts, children: [root], tree: { 'data/x': '', 'boot/x': '' } };
    expect(await found(`${rootLine}UUID=gone /data ext4 defaults 0 2\n`, world)).toEqual([
      'critical fstab.missing-device fstab.nofail',
    ]);
    expect(await found(`${rootLine}UUID=gone /data ext4 defaults 0 0\n`, world)).toEqual([
      'warning fstab.missing-device fstab.nofail',
    ]);
  });

  test('nofail is set in its field, with what stands behind it kept', async () => {
    const table = `# table\n${rootLine}\tUUID=gone\t/data   ext4  noatime\t0 2 # the disk\n`;
    expect(await mended(table, { children: [root] })).toContain(
      '\tUUID=gone\t/data   ext4  noatime,nofail,x-systemd.device-timeout=10s\t0 2 # the disk\n',
    );
  });
});

describe('the root', () => {
  test('a UUID that no disk has leaves it read-only', async () => {
    const table = 'UUID=gone / ext4 defaults 0 1\nUUID=b007 /boot ext4 defaults 0 2\n';
    expect(await found(table)).toEqual(['critical fstab.wrong-root fstab.set-device']);
    expect(await mended(table)).toMatch(/^UUID=r007 \/ ext4 defaults 0 1\n/);
  });

  test('a command line with rw makes it writable without fstab', async () => {
    const grub = 'menuentry "x" {\n linux /vmlinuz root=UUID=r007 rw quiet\n}\n';
    const tree = { 'boot/grub/grub.cfg': grub };
    expect(await found('', { tree })).toEqual([]);
    const readOnly = { 'boot/grub/grub.cfg': grub.replace(' rw ', ' ro ') };
    expect(await found('', { tree: readOnly })).toEqual([
      'critical fstab.missing-table fstab.write-table',
    ]);
  });

  test('a root in a volume that the command line opens and no crypttab names', async () => {
    const aliases = ['/dev/mapper/rescuekit-7f3a-vdb3'];
    const top = makeDevice('/dev/dm-0', { kind: 'luks', fsType: 'ext4', uuid: 'r007', aliases });
    const locked = makePartition('/dev/vdb3', 3, {
      ...{ fsType: 'crypto_LUKS', uuid: 'c0de', children: [top] },
    });
    const world = (words: string) => {
      const grub = `menuentry "x" {\n linux /vmlinuz root=/dev/mapper/cryptroot ${words}\n}\n`;
      return { top, children: [esp, locked], tree: { 'boot/grub/grub.cfg': grub } };
    };
    const table = '/dev/mapper/cryptroot / ext4 rw,relatime 0 1\n';
    expect(await found(table, world('cryptdevice=UUID=c0de:cryptroot rw'))).toEqual([]);
    expect(await found(table, world('rd.luks.name=c0de=cryptroot ro'))).toEqual([]);
    expect(await found(table, world('cryptdevice=UUID=c0de:other ro'))).toEqual([
      'critical fstab.wrong-root fstab.set-device',
    ]);
  });

  test('a unified image tells by its own line whether a table is needed', async () => {
    const image = (line: string | null) => ({
      'efi/EFI/Linux/arch-linux.efi': { program: makeUki(line) },
    });
    const gone = ['critical fstab.missing-table fstab.write-table'];
    const settings = { 'etc/kernel/cmdline': '# by hand\nroot=UUID=r007 rw quiet\n' };
    expect(await found('', { tree: image('root=UUID=r007 rw quiet') })).toEqual([]);
    expect(await found('', { tree: image('root=UUID=r007 ro quiet') })).toEqual(gone);
    expect(await found('', { tree: image('root=UUID=r007 quiet') })).toEqual(gone);
    expect(await found('', { tree: { ...image(null), ...settings } })).toEqual([]);
    expect(await found('', { tree: image(null) })).toEqual(gone);
    // The EFI system partition is not mounted without a table.
    expect(await found('', { tree: settings })).toEqual([]);
    const readOnly = { 'etc/kernel/cmdline': 'root=UUID=r007 ro\n' };
    expect(await found('', { tree: readOnly })).toEqual(gone);
  });

  test('systemd makes a root writable that it finds by the type of its partition', async () => {
    const type = '4f68bce3-e8cd-4db1-96e7-fbcaf984b709';
    const partition = { number: 3, startBytes: 2 ** 22, uuid: null, label: null, type };
    const top = { ...root, partition };
    const world = (line: string) => ({
      top,
      children: [esp, top],
      tree: { 'efi/EFI/Linux/mkosi.efi': { program: makeUki(line) } },
    });
    const gone = ['critical fstab.missing-table fstab.write-table'];
    expect(await found('', world('console=ttyS0'))).toEqual([]);
    expect(await found('', world('console=ttyS0 ro'))).toEqual(gone);
    expect(await found('', { ...world('quiet'), facts: { init: 'openrc' } })).toEqual(gone);
    // Debian's cloud images have that type, and GRUB's entries have `ro`.
    const grub = 'menuentry "x" {\n linux /vmlinuz root=UUID=r007 ro quiet\n}\n';
    const debian = { top, children: [esp, top], tree: { 'boot/grub/grub.cfg': grub } };
    expect(await found('', debian)).toEqual(gone);
    const hidden = { top, children: [esp, top] };
    const settings = { 'etc/default/grub': 'GRUB_TIMEOUT=5\n' };
    expect(await found('', { ...hidden, tree: settings })).toEqual(gone);
    const readOnly = { 'etc/kernel/cmdline': 'root=UUID=r007 ro\n' };
    expect(await found('', { ...hidden, tree: readOnly })).toEqual(gone);
    // An image whose EFI system partition is mounted by its type, or one that has lost its table.
    const unsure = ['warning fstab.missing-table fstab.write-table'];
    expect(await found('', hidden)).toEqual(unsure);
  });

  test('a deployment of OSTree has its root without a table', async () => {
    const deployment = `ostree/deploy/fedora-coreos/deploy/${'0'.repeat(64)}.0`;
    expect(await found(null, { deployment })).toEqual([]);
  });

  test('a table that is gone is written anew from what is certain', async () => {
    expect(await found(null)).toEqual(['critical fstab.missing-table fstab.write-table']);
    expect(await mended(null, { names: ofBoot })).toBe(
      'UUID=r007 / ext4 errors=remount-ro 0 1\nUUID=b007 /boot ext4 defaults 0 2\nUUID=1B2C-3D4E /boot/efi vfat umask=0077,nofail 0 0\nUUID=5a9 none swap sw,nofail 0 0\n',
    );
    const more = makePartition('/dev/vdb5', 5, { fsType: 'xfs', uuid: 'other' });
    expect(await mended(null, { names: ofBoot, children: [boot, root, more] })).toMatch(
      /^refused: the disk has more/,
    );
  });

  test('the one other file system is /boot only where something says so', async () => {
    const refusal = /^refused: the disk has one more file system, and nothing on it says/;
    expect(await mended(null, { names: ofHome })).toMatch(refusal);
    expect(await mended(null)).toMatch(refusal);
    // Another system's root has links to its kernel.
    const ofRoot = { '/dev/vdb2': ['etc', 'usr', 'vmlinuz', 'initrd.img'] };
    expect(await mended(null, { names: ofRoot })).toMatch(refusal);
    const isTaken = async (device: Device, names: World['names'] = {}) =>
      /UUID=b007 \/boot /.test(await mended(null, { names, children: [esp, device, root] }));
    const labelled = { ...boot, label: 'boot' };
    expect(await isTaken(labelled)).toBe(true);
    expect(await isTaken(labelled, ofHome)).toBe(false);
    const type = 'BC13C2FF-59E6-4262-A352-B275FD6F7172';
    const partition = { number: 2, startBytes: 2 ** 21, uuid: null, label: null, type };
    expect(await isTaken({ ...boot, partition })).toBe(true);
  });

  test("the system's own directory on the EFI system partition says what /boot is", async () => {
    const mount = {
      ...{ target: '/boot/efi', spec: 'UUID=1B2C-3D4E', device: '/dev/vdb1', fsType: 'vfat' },
      ...{ options: [], state: 'mount' as const, note: null },
    };
    const os = { id: 'debian', versionId: '12', prettyName: 'Debian 12' };
    const takes = async (vendor: string, prefix: string) => {
      const config = `search.fs_uuid b0070000 root hd0,gpt2\nset prefix=($root)'${prefix}'\n`;
      const device = { ...boot, uuid: 'b0070000' };
      return await within(
        null,
        { children: [esp, device, root], facts: { os } },
        async (subject) => {
          const path = `${subject.root}/esp/EFI/${vendor}`;
          await mkdir(path, { recursive: true });
          await writeFile(`${path}/grub.cfg`, config);
          const mounted = { ...subject, mounts: [{ ...mount, target: '/esp' }] };
          return await isEvidentBoot(mounted, device);
        },
      );
    };
    expect(await takes('debian', '/grub')).toBe(true);
    expect(await takes('debian', '/boot/grub')).toBe(false);
    expect(await takes('fedora', '/grub')).toBe(false);
  });

  test('a lost line comes before the others', async () => {
    const table = '# head\nUUID=b007 /boot ext4 defaults 0 2\n';
    expect(await found(table)).toEqual(['critical fstab.no-root fstab.add-root']);
    expect(await mended(table)).toBe(`# head\n${rootLine}UUID=b007 /boot ext4 defaults 0 2\n`);
  });
});

describe('types and options', () => {
  test.each([
    ['UUID=b007 /boot ext5 defaults 0 2', 'critical fstab.unknown-type fstab.set-type'],
    ['UUID=b007 /boot xfs defaults 0 2', 'critical fstab.wrong-type fstab.set-type'],
    ['UUID=b007 /boot ext3 defaults 0 2', 'critical fstab.wrong-type fstab.set-type'],
    ['UUID=b007 /boot ext4 defaults,noatme 0 2', 'critical fstab.bad-option fstab.set-options'],
    ['UUID=b007 /boot ext4 subvol=@boot 0 2', 'critical fstab.bad-option fstab.set-options'],
    ['UUID=b007 /boot ext4 frobnicate 0 2', 'warning fstab.bad-option null'],
    ['UUID=b007 /boot ext4 nofail,noatme 0 2', 'info fstab.bad-option fstab.set-options'],
  ])('%s', async (line, wanted) => {
    expect(await found(`${rootLine}${line}\n`)).toEqual([wanted]);
  });

  test('options that the started kernel has given up', async () => {
    const top = { ...root, fsType: 'xfs' };
    const table = (option: string) =>
      `UUID=r007 / xfs defaults 0 0\nUUID=b007 /boot xfs defaults,${option} 0 0\n`;
    const world = (version: string): World => ({
      top,
      children: [esp, { ...boot, fsType: 'xfs' }, top],
      tree: {
        'boot/grub/grub.cfg': `menuentry "x" {\n linux /boot/vmlinuz-${version} ro\n}\n`,
        [`boot/vmlinuz-${version}`]: 'k',
      },
    });
    const refused = ['critical fstab.bad-option fstab.set-options'];
    expect(await found(table('nobarrier'), world('5.14.0-427.el9.x86_64'))).toEqual(refused);
    expect(await found(table('delaylog'), world('4.18.0-553.el8_10.x86_64'))).toEqual(refused);
    expect(await found(table('nobarrier'), world('3.10.0-1160.el7.x86_64'))).toEqual([]);
    expect(await found(table('nobarrier'), world('4.18.0-553.el8_10.x86_64'))).toEqual([]);
    expect(await found(table('nobarrier'), { ...world('6.1.0'), tree: {} })).toEqual([]);
    expect(await found(table('inode64'), world('6.1.0'))).toEqual([]);
    expect(await mended(table('nobarrier'), world('5.14.0-427.el9.x86_64'))).toContain(
      '/boot xfs defaults 0 0',
    );
  });

  test('a comma within quotes belongs to the value', async () => {
    const label = 'context="system_u:object_r:container_file_t:s0:c1,c2"';
    const line = (options: string) => `${rootLine}UUID=b007 /boot ext4 ${options} 0 2\n`;
    expect(await found(line(`defaults,${label},noatime`))).toEqual([]);
    expect(await mended(line(`${label},noatme`))).toContain(`ext4 ${label},noatime 0 2`);
  });

  test('a misspelt option keeps its value and its place', async () => {
    expect(await mended('UUID=r007 / ext4 noatime,erors=remount-ro,discard 0 1\n')).toBe(
      'UUID=r007 / ext4 noatime,errors=remount-ro,discard 0 1\n',
    );
    expect(await mended(`${rootLine}UUID=b007 /boot ext4 subvol=@boot 0 2\n`)).toContain(
      'UUID=b007 /boot ext4 defaults 0 2',
    );
  });
});

describe('the form of lines', () => {
  test.each([
    ['UUID=r007 / ext4 defaults, noatime 0 1\n', 'UUID=r007 / ext4 defaults,noatime 0 1\n'],
    ['UUID=r007 / ext4 defaults O l\n', 'UUID=r007 / ext4 defaults 0 1\n'],
    ['UUID=r007 /\n', 'UUID=r007 / auto defaults 0 1\n'],
    ['UUID=r007 / ext4 defaults # root\n', 'UUID=r007 / ext4 defaults 0 # root\n'],
    [
      `\ufeffUUID=b007 /boot ext4 defaults\n${rootLine}`,
      `UUID=b007 /boot ext4 defaults\n${rootLine}`,
    ],
    [
      `${rootLine}UUID=b007 root ext4 defaults 0 2\n`,
      `${rootLine}UUID=b007 /root ext4 defaults 0 2\n`,
    ],
    [`# a\r\nUUID=r007 / ext4 defaults 0 1\r\n`, '# a\nUUID=r007 / ext4 defaults 0 1\n'],
  ])('%j becomes %j', async (before, after) => {
    expect(await mended(before)).toBe(after);
    expect((await found(after)).filter((text) => !text.startsWith('info'))).toEqual([]);
  });

  test('a line with one field is said, and left alone', async () => {
    expect(await found(`${rootLine}UUID=b007\n`)).toEqual(['warning fstab.malformed-line null']);
  });

  test('no table makes a check stumble', async () => {
    const word = fc.constantFrom(
      'UUID=r007',
      '/',
      '/boot',
      'ext4',
      'swap',
      'defaults,',
      '0',
      '#',
      '\\040',
      '\r',
      '\u0000',
      '"',
    );
    const text = fc
      .array(fc.array(word).map((words) => words.join(' ')))
      .map((lines) => lines.join('\n'));
    await fc.assert(
      fc.asyncProperty(text, async (table) => {
        await within(table, {}, look);
      }),
      { numRuns: 25 },
    );
  });
});

test('a file in the place of a mount point stops the boot', async () => {
  const table = `${rootLine}UUID=b007 /srv/x ext4 defaults 0 2\n`;
  expect(await found(table, { tree: { 'srv/x': '' } })).toEqual([
    'critical fstab.mount-point fstab.make-mount-point',
  ]);
  expect(await found(table, { tree: { 'srv/x': 'something' } })).toEqual([
    'critical fstab.mount-point null',
  ]);
});

describe('files of the system itself', () => {
  const swapped = `${rootLine}/swapfile none swap sw 0 0\n`;
  const image = `${rootLine}/srv/data.img /data ext4 loop 0 0\n`;

  test.each([
    [swapped, {}, ['warning fstab.missing-file fstab.nofail']],
    [swapped, { swapfile: 'x' }, []],
    [swapped.replace('sw 0', 'sw,nofail 0'), {}, ['info fstab.missing-file null']],
    [swapped.replace('sw 0', 'sw,noauto 0'), {}, []],
    [image, {}, ['critical fstab.missing-file fstab.nofail']],
    [image, { 'srv/data.img': 'x' }, []],
    [`${rootLine}UUID=b007 /srv ext4 defaults 0 2\n/srv/data.img /data ext4 loop 0 0\n`, {}, []],
    [`${rootLine}/srv/a /srv/b none bind 0 0\n`, {}, []],
    [`${rootLine}/disks/*:/more /pool fuse.mergerfs defaults 0 0\n`, {}, []],
    [
      `${rootLine}/srv/a.iso /iso udf,iso9660 ro,loop 0 0\n`,
      {},
      ['critical fstab.missing-file fstab.nofail'],
    ],
  ])('%j %j', async (table, tree, wanted) => {
    expect(await found(table, { tree })).toEqual(wanted);
  });

  test('a file below what may be a mount that fstab does not name is only told of', async () => {
    const table = `${rootLine}/srv/isos/x.iso /mnt/x iso9660 ro,loop 0 0\n`;
    const about = (tree: Readonly<Record<string, TreeEntry>>, facts: Partial<SystemFacts> = {}) =>
      found(table, { tree, facts });
    const told = ['info fstab.missing-file null'];
    const missing = ['critical fstab.missing-file fstab.nofail'];
    const own = { 'srv/isos/y.iso': 'x' };
    const unit = { 'etc/systemd/system/srv.mount': '[Mount]\nWhat=UUID=z\nWhere=/srv/\n' };
    expect(await about(own)).toEqual(missing);
    expect(await about({ ...own, ...unit })).toEqual(told);
    expect(await about({ ...own, ...unit }, { init: 'sysvinit' })).toContain(
      'warning fstab.missing-file fstab.nofail',
    );
    const beside = { 'etc/systemd/system/sr.mount': '[Mount]\nWhat=UUID=z\nWhere=/sr\n' };
    expect(await about({ ...own, ...beside })).toEqual(missing);
    expect(await about({ 'srv/isos': { directory: true } })).toEqual(told);
    expect(await about({ srv: { directory: true } })).toEqual(told);
    expect(await about({ 'srv/readme': 'x' })).toEqual(missing);
  });

  test('scripts do not make what a bind mount shows', async () => {
    const table = `${rootLine}/srv/a /srv/b none bind 0 2\n`;
    const world = { facts: { init: 'sysvinit' }, tree: { 'srv/b': { directory: true } } } as const;
    expect(await found(table, world)).toEqual(['critical fstab.missing-file fstab.nofail']);
  });

  test('the line gets nofail, and no wait for what is no device', async () => {
    expect(await mended(swapped)).toBe(`${rootLine}/swapfile none swap sw,nofail 0 0\n`);
  });
});

describe('subvolumes of btrfs', () => {
  const pool = makePartition('/dev/vdb3', 3, { fsType: 'btrfs', uuid: 'b7f5' });
  const line = (options: string) =>
    `UUID=b7f5 / btrfs subvol=@ 0 0\nUUID=b7f5 /home btrfs ${options} 0 0\n`;
  const mount = (target: string, more: Partial<SubjectMount> = {}): SubjectMount => ({
    ...{ target, spec: 'UUID=b7f5', device: '/dev/vdb3', fsType: 'btrfs', options: [] },
    ...{ state: 'mount', note: null, ...more },
  });
  const failed = 'mount failed with exit code 32: mount(2) system call failed: No such file';
  const world = (home: Partial<SubjectMount>, up: Partial<SubjectMount> = {}): World => ({
    ...{ top: pool, children: [pool], mounts: [mount('/', up), mount('/home', home)] },
    tree: { home: { directory: true } },
  });
  const gone = world({ state: 'skipped', note: failed });

  test.each([
    ['subvol=@home', ['critical fstab.subvolume fstab.nofail']],
    ['subvolid=300', ['critical fstab.subvolume fstab.nofail']],
    ['subvol=@home,nofail', ['info fstab.subvolume null']],
    ['subvol=@home,noauto', []],
    ['compress=zstd', []],
  ])('one that is gone: %s', async (options, wanted) => {
    expect(await found(line(options), gone)).toEqual(wanted);
  });

  test('what could not be mounted for another reason is no missing subvolume', async () => {
    const point = world({ state: 'skipped', note: 'its mount point is missing' });
    expect(await found(line('subvol=@home'), point)).toEqual([]);
    const damaged = world({ state: 'skipped', note: failed }, { device: '/dev/vdb9' });
    expect(await found(line('subvol=@home'), damaged)).toEqual([]);
  });

  test('a name whose id is another one is mounted by its name', async () => {
    const table = line('noatime,subvolid=257,subvol=/@home');
    await within(table, world({}), async (subject) => {
      const run: Subject['host']['run'] = async () => ({
        ...{ exitCode: 0, stdout: '300\n', stderr: '', milliseconds: 1 },
      });
      const replaced = { ...subject, host: { ...subject.host, run } };
      const findings = await look(replaced);
      expect(short(findings)).toEqual(['critical fstab.subvolume fstab.set-subvolume']);
      const repair = fstabRepairs.find(({ id }) => id === 'fstab.set-subvolume');
      const plan = await repair?.plan(replaced, findings, noTools);
      expect(plan === undefined ? '' : contentOf(plan)).toBe(line('noatime,subvol=/@home'));
      const same = table.replace('257', '300');
      await within(same, world({}), async (other) => {
        expect(await look({ ...other, host: replaced.host })).toEqual([]);
      });
    });
  });
});

test('two lines for one place are told, and which is meant is not guessed', async () => {
  const table = `${rootLine}UUID=b007 /data ext4 defaults 0 2\nUUID=1B2C-3D4E /data vfat defaults 0 0\n`;
  expect(await found(table)).toEqual(['warning fstab.duplicate-entry null']);
});

describe('crypttab', () => {
  const table = `${rootLine}/dev/mapper/vault /srv/v ext4 defaults 0 2\n`;
  const entry: SystemFacts['crypttab'][number] = {
    ...{ line: 1, name: 'vault', source: 'UUID=gone', keyFile: null, options: [], kind: 'luks' },
  };

  test('a missing container stops the boot when a mount that is required is on it', async () => {
    expect(await found(table, { facts: { crypttab: [entry] } })).toEqual([
      'critical fstab.crypttab-device fstab.crypttab-nofail',
    ]);
    expect(await found(rootLine, { facts: { crypttab: [entry] } })).toEqual([
      'warning fstab.crypttab-device fstab.crypttab-nofail',
    ]);
    expect(
      await found(rootLine, { facts: { crypttab: [{ ...entry, options: ['nofail'] }] } }),
    ).toEqual(['info fstab.crypttab-device null']);
  });

  test('nofail goes into both tables', async () => {
    const tree = { 'etc/crypttab': 'vault UUID=gone # data\n' };
    expect(await mended(table, { tree, facts: { crypttab: [entry] } })).toBe(
      'vault UUID=gone none luks,nofail # data\n',
    );
  });

  test('a swap with a key of each boot is no fault, a key file that is gone is one', async () => {
    const swapped = { ...entry, name: 'cs', source: 'UUID=5a9', keyFile: '/dev/urandom' };
    const kind = 'plain' as const;
    const line = `${rootLine}/dev/mapper/cs none swap sw 0 0\n`;
    expect(
      await found(line, { facts: { crypttab: [{ ...swapped, kind, options: ['swap'] }] } }),
    ).toEqual([]);
    const keyed = { ...swapped, kind, keyFile: '/etc/keys/cs' };
    expect(await found(line, { facts: { crypttab: [keyed] } })).toEqual([
      'warning fstab.crypttab-key fstab.crypttab-nofail',
    ]);
  });

  test('an option that nobody knows is said', async () => {
    const odd = { ...entry, source: 'UUID=b007', options: ['luks', 'dicsard'] };
    expect(await found(rootLine, { facts: { crypttab: [odd] } })).toEqual([
      'info fstab.crypttab-option null',
    ]);
  });
});

describe('crypttab of a root that is encrypted', () => {
  const open = (path: string, more: Partial<Device>) => makeDevice(path, { kind: 'luks', ...more });
  const container = (number: number, uuid: string, child: Device) =>
    makePartition(`/dev/vdb${number}`, number, { fsType: 'crypto_LUKS', uuid, children: [child] });
  const plain = open('/dev/dm-0', { fsType: 'ext4', uuid: 'r007' });
  const volume = makeDevice('/dev/dm-1', {
    ...{ kind: 'lvm', fsType: 'ext4', uuid: 'r007', aliases: ['/dev/mapper/vg-root'] },
  });
  const direct = { top: plain, children: [boot, container(3, 'c0de', plain)] };
  const group = open('/dev/dm-0', { fsType: 'LVM2_member', children: [volume] });
  const lvm = { top: volume, children: [boot, container(3, 'c0de', group)] };
  const started = (options: string): Readonly<Record<string, TreeEntry>> => ({
    'boot/vmlinuz-6.1.0': 'x',
    'boot/grub/grub.cfg': `menuentry 'a' {\nlinux /boot/vmlinuz-6.1.0 ${options}\n}\n`,
  });
  const named = '/dev/mapper/vdb3_crypt / ext4 errors=remount-ro 0 1\n';
  const onLvm = '/dev/mapper/vg-root / ext4 errors=remount-ro 0 1\n';
  const crypttab = (text: string, options = 'root=/dev/mapper/vg-root ro') => ({
    tree: { 'etc/crypttab': text, ...started(options) },
    facts: { crypttab: parseCrypttab(text) },
  });
  const wrong = 'critical fstab.crypttab-device fstab.crypttab-source';

  test.each([
    ['by the name of its mapping', named, direct],
    ['by its UUID', rootLine, direct],
    ['with LVM between', onLvm, lvm],
  ])('a line that names another device gets the right one: %s', async (_, table, world) => {
    const right = crypttab('vdb3_crypt UUID=c0de none luks,discard\n');
    expect(await found(table, { ...world, ...right })).toEqual([]);
    const text = '# mine\nvdb3_crypt  UUID=gone none luks,discard\n';
    const world2 = { ...world, ...crypttab(text) };
    expect((await found(table, world2)).filter((one) => one.includes('crypttab'))).toEqual([wrong]);
    expect(await mended(table, world2)).toBe(text.replace('gone', 'c0de'));
  });

  test('it is never left out, not even when it says so itself', async () => {
    const text = 'vdb3_crypt UUID=gone none luks,nofail\n';
    expect(await found(named, { ...direct, ...crypttab(text) })).toContain(wrong);
  });

  test('another line that finds nothing is no line of the root', async () => {
    const text = 'vdb3_crypt UUID=c0de none luks\nvault UUID=gone none luks\n';
    const data = ['warning fstab.crypttab-device fstab.crypttab-nofail'];
    expect(await found(named, { ...direct, ...crypttab(text) })).toEqual(data);
    expect(await found(onLvm, { ...lvm, ...crypttab(text) })).toEqual(data);
    const options = 'root=/dev/mapper/vg-root rd.luks.uuid=c0de';
    const alone = crypttab('vault UUID=gone none luks\n', options);
    expect(await found(onLvm, { ...lvm, ...alone })).toEqual(data);
    const optional = crypttab('vault UUID=gone none luks,nofail\n');
    expect(await found(onLvm, { ...lvm, ...optional })).toEqual([
      'info fstab.crypttab-device null',
    ]);
  });

  test('with a choice nothing is written', async () => {
    const text = 'one UUID=gone none luks\ntwo UUID=lost none luks\n';
    expect(await found(onLvm, { ...lvm, ...crypttab(text) })).toEqual([wrong, wrong]);
    expect(await mended(onLvm, { ...lvm, ...crypttab(text) })).toMatch(/^refused: no opened/);
    const { facts } = crypttab('one UUID=gone none luks\n');
    const tree = { 'etc/crypttab': 'one UUID=gone none luks\n' };
    expect(await mended(onLvm, { ...lvm, facts, tree })).toMatch(/^refused: no opened/);
    const taken = 'vdb3_crypt UUID=gone none luks\nother UUID=c0de none luks\n';
    expect(await mended(named, { ...direct, ...crypttab(taken) })).toMatch(/^refused: no opened/);
  });

  test('what the initramfs has for itself is what opens the root', async () => {
    const initramfs = (text: string) =>
      gzipSync(cpioArchive(cpioMember('init'), cpioMember('cryptroot/crypttab', text)));
    const menu = `menuentry 'a' {\nlinux /boot/vmlinuz-6.1.0 root=UUID=r007\ninitrd /boot/initrd.img-6.1.0\n}\n`;
    const system = (table: string, copy: string) => {
      const { tree, facts } = crypttab(`vdb3_crypt ${table} none luks\n`);
      const boot = { 'boot/vmlinuz-6.1.0': 'x', 'boot/grub/grub.cfg': menu };
      const initrd = { 'boot/initrd.img-6.1.0': initramfs(`vdb3_crypt ${copy} none luks\n`) };
      return { ...direct, facts, tree: { ...tree, ...boot, ...initrd } };
    };
    const stale = 'critical fstab.crypttab-initramfs kernel.make-initramfs';
    expect(await found(rootLine, system('UUID=c0de', 'UUID=c0de'))).toEqual([]);
    expect(await found(rootLine, system('UUID=c0de', 'UUID=gone'))).toEqual([stale]);
    expect(await found(rootLine, system('UUID=gone', 'UUID=gone'))).toEqual([wrong, stale]);
    expect(await found(rootLine, system('UUID=gone', 'UUID=c0de'))).toEqual([
      wrong.replace('critical', 'warning'),
    ]);
  });

  test('a name for a serial number that the disk does not show here is not wrong', async () => {
    const text = 'vdb3_crypt /dev/disk/by-id/ata-Disk_S1-part3 none luks\n';
    const told = ['info fstab.crypttab-device null'];
    const copy = gzipSync(cpioArchive(cpioMember('init'), cpioMember('cryptroot/crypttab', text)));
    const menu = `menuentry 'a' {\nlinux /boot/vmlinuz-6.1.0 root=/dev/mapper/vg-root\ninitrd /boot/initrd.img-6.1.0\n}\n`;
    const withCopy = (own: string) => {
      const { tree, facts } = crypttab(own);
      const boot = { 'boot/initrd.img-6.1.0': copy, 'boot/grub/grub.cfg': menu };
      return { facts, tree: { ...tree, ...boot } };
    };
    const worlds = [[named, direct] as const, [rootLine, direct] as const, [onLvm, lvm] as const];
    for (const [table, world] of worlds) {
      expect(await found(table, { ...world, ...withCopy(text) })).toEqual(told);
      expect(await mended(table, { ...world, ...withCopy(text) })).toBe('nothing to mend');
      const right = withCopy('vdb3_crypt UUID=c0de none luks\n');
      expect(await found(table, { ...world, ...right })).toEqual([]);
    }
    // It may be the root's; then the line beside it is not.
    const beside = `${text}vault UUID=gone none luks\n`;
    expect(await found(onLvm, { ...lvm, ...crypttab(beside) })).toEqual([
      ...told,
      'warning fstab.crypttab-device null',
    ]);
  });

  test('a line that is no line is told', async () => {
    const text = 'vdb3_crypt\n# x\nswap UUID=5a9 /dev/urandom swap\r\n';
    expect(await found(rootLine, crypttab(text))).toEqual([
      'warning fstab.crypttab-line null',
      'warning fstab.crypttab-line null',
    ]);
    expect(await found(rootLine, crypttab('\ufeffvault UUID=b007 none luks\n'))).toEqual([
      'warning fstab.crypttab-line null',
    ]);
  });
});

describe('mount units', () => {
  const unit = (what: string, where: string) =>
    `[Mount]\nWhat=${what}\nWhere=${where}\nType=ext4\n`;
  const at = (name: string, by: string, text: string) => ({
    [`etc/systemd/system/${name}`]: text,
    [`etc/systemd/system/local-fs.target.${by}/${name}`]: { link: `../${name}` },
  });

  test.each([
    [
      at('srv-a.mount', 'requires', unit('UUID=gone', '/srv/a')),
      ['critical fstab.unit-device fstab.want-unit'],
    ],
    [at('srv-a.mount', 'wants', unit('UUID=gone', '/srv/a')), ['info fstab.unit-device null']],
    [
      at('srv-a-b.mount', 'requires', unit('UUID=b007', '/srv/a-b')),
      ['critical fstab.unit-name fstab.rename-unit'],
    ],
    [at('srv-a\\x2db.mount', 'requires', unit('UUID=b007', '/srv/a-b')), []],
    [at('srv-a.mount', 'requires', unit('/dev/disk/by-uuid/b007', '/srv/a/')), []],
    [{ 'etc/systemd/system/srv-x.mount': unit('UUID=gone', '/srv/y') }, []],
  ])('%j', async (tree, wanted) => {
    expect(await found(rootLine, { tree })).toEqual(wanted);
  });
});
