import { appendFile, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { Device } from '../../devices/device.ts';
import { createHost } from '../../host/host.ts';
import type { Subject, SubjectDevices } from '../subject.ts';
import { biosDirectory } from './bios-start.ts';
import { gptCheck } from './gpt.ts';
import { startCheck } from './start.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';
const esp = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const megabyte = 2 ** 20;
const host = createHost();

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-start-'));
});

afterEach(() => rm(directory, { recursive: true }));

const run = (program: string, ...args: readonly string[]) => host.run({ program, args });

const makeFile = async (name: string, size: number): Promise<string> => {
  const file = join(directory, name);
  await writeFile(file, '');
  await truncate(file, size);
  return file;
};

/** A partition whose node is a file: it is read in the same way. */
const makeEsp = async (files: Readonly<Record<string, string>>): Promise<Device> => {
  const path = await makeFile('esp.img', 36 * megabyte);
  await run('mkfs.vfat', '-F', '32', path);
  const made = new Set<string>();
  for (const [name, content] of Object.entries(files)) {
    const parts = name.split('/').slice(0, -1);
    for (const [index] of parts.entries()) {
      const below = parts.slice(0, index + 1).join('/');
      if (!made.has(below)) await run('mmd', '-i', path, `::/${below}`);
      made.add(below);
    }
    await writeFile(join(directory, 'content'), content);
    await run('mcopy', '-i', path, join(directory, 'content'), `::/${name}`);
  }
  const more = { fsType: 'vfat', uuid: '1234-ABCD' };
  const partition = { number: 1, startBytes: megabyte, uuid: null, label: null, type: esp };
  return makePartition(path, 1, { ...more, partition });
};

const devicesWith = async (
  table: 'gpt' | 'dos',
  others: readonly Device[] = [],
): Promise<SubjectDevices> => {
  const root = makePartition('/dev/loop0p3', 3, { fsType: 'ext4', uuid });
  const disk = makeDevice(await makeFile('disk.img', megabyte), {
    ...{ partitionTable: table, sizeBytes: megabyte },
    children: [...others, root],
  });
  return { root, disk, disks: [disk], subvolume: null, volumes: [] };
};

const system: Readonly<Record<string, TreeEntry>> = {
  'boot/grub/grub.cfg': 'menuentry a { linux /boot/k }\n',
  'boot/grub/x86_64-efi/a.mod': 'm',
};

const withSubject = async <T>(
  devices: SubjectDevices,
  work: (subject: Subject) => Promise<T>,
  mounts: Subject['mounts'] = [],
  more: Readonly<Record<string, TreeEntry>> = {},
): Promise<T> => {
  await using tree = await makeTree({ ...system, ...more });
  const architecture = 'x86_64';
  return await work(await subjectOf(tree.root, { architecture }, { devices, mounts }));
};

const startOf = async (
  devices: SubjectDevices,
  more: Readonly<Record<string, TreeEntry>> = {},
  mounts: Subject['mounts'] = [],
): Promise<readonly string[]> => {
  const findings = await withSubject(devices, (subject) => startCheck.run(subject), mounts, more);
  return findings.map(({ severity, id }) => `${severity} ${id}`);
};

const program = `MZ${'x'.repeat(100)}`;
const shim = `${program}UEFI SHIM\n`;
const removable = { 'EFI/BOOT/BOOTX64.EFI': program };
const vendor = {
  'EFI/debian/shimx64.efi': program,
  'EFI/debian/grubx64.efi': program,
  'EFI/debian/grub.cfg': `search.fs_uuid ${uuid} root hd0,gpt3\nconfigfile ($root)/boot/grub/grub.cfg\n`,
};
const whole = { ...vendor, ...removable };

const withEsp = async (files: Readonly<Record<string, string>>): Promise<readonly string[]> =>
  startOf(await devicesWith('gpt', [await makeEsp(files)]));

test('an MBR disk with GRUB and without boot code does not start', async () => {
  expect(await startOf(await devicesWith('dos'))).toEqual(['critical boot-loader.boot-code']);
});

test('a disk that UEFI starts needs no boot code', async () => {
  expect(await withEsp(whole)).toEqual([]);
  expect(await withEsp({ 'EFI/BOOT/BOOTX64.EFI': program })).toEqual([]);
});

test('systemd-boot needs entries or images to start', async () => {
  const loader = { 'EFI/systemd/systemd-bootx64.efi': program, 'EFI/BOOT/BOOTX64.EFI': program };
  const found = ['critical boot-loader.no-entries'];
  expect(await withEsp(loader)).toEqual(found);
  expect(await withEsp({ ...loader, 'loader/loader.conf': 'timeout 3' })).toEqual(found);
  expect(await withEsp({ ...loader, 'loader/entries/a.conf': 'linux /a' })).toEqual([]);
  expect(await withEsp({ ...loader, 'EFI/Linux/a.efi': program })).toEqual([]);
  // Beside GRUB, which has its own menu, it is what is left of a try.
  expect(await withEsp({ ...whole, ...loader })).toEqual([]);
});

test('entries may lie on an extended boot loader partition, which systemd finds by its type', async () => {
  const type = 'bc13c2ff-59e6-4262-a352-b275fd6f7172';
  const partition = { number: 2, startBytes: 64 * megabyte, uuid: null, label: null, type };
  const extended = makePartition('/dev/loop0p2', 2, { fsType: 'vfat', partition });
  const loader = await makeEsp({ 'EFI/systemd/systemd-bootx64.efi': program, ...removable });
  expect(await startOf(await devicesWith('gpt', [loader, extended]))).toEqual([]);
});

test('a chain with a part that is empty, missing or no program is none', async () => {
  const found = ['critical boot-loader.efi-programs'];
  expect(await withEsp({ ...vendor, 'EFI/debian/grubx64.efi': '' })).toEqual(found);
  expect(await withEsp({ ...vendor, 'EFI/debian/shimx64.efi': 'x'.repeat(100) })).toEqual(found);
  expect(await withEsp({ 'EFI/debian/shimx64.efi': program })).toEqual(found);
  expect(await withEsp({ 'EFI/Microsoft/Boot/bootmgfw.efi': program })).toEqual(found);
  // shim under the removable name starts the GRUB beside it, and there is none.
  expect(await withEsp({ 'EFI/BOOT/BOOTX64.EFI': shim })).toEqual(found);
});

test('of two chains one may be broken', async () => {
  const files = { ...whole, 'EFI/debian/grubx64.efi': '' };
  expect(await withEsp(files)).toEqual(['warning boot-loader.efi-program']);
});

test('a disk that only its own firmware starts is told of', async () => {
  const told = ['info boot-loader.efi-removable'];
  expect(await withEsp(vendor)).toEqual(told);
  expect(await withEsp({ 'EFI/debian/grubx64.efi': program })).toEqual(told);
  expect(await withEsp({ ...vendor, 'EFI/BOOT/BOOTX64.EFI': shim })).toEqual(told);
  const pair = { 'EFI/BOOT/BOOTX64.EFI': shim, 'EFI/BOOT/grubx64.efi': program };
  expect(await withEsp({ ...vendor, ...pair })).toEqual([]);
  // The fallback program leads from there to the vendor's directory.
  const leading = { 'EFI/BOOT/BOOTX64.EFI': shim, 'EFI/BOOT/fbx64.efi': program };
  expect(await withEsp({ ...vendor, ...leading })).toEqual([]);
});

/** A disk on which something else has the first sector, with or without the core image of GRUB. */
const foreignDisk = async (table: 'gpt' | 'dos', others: readonly Device[], hasCore: boolean) => {
  const devices = await devicesWith(table, others);
  const disk = await open(devices.disk.path ?? '', 'r+');
  await disk.write(Buffer.alloc(512, 'Missing operating system'), 0, 512, 0);
  if (hasCore) {
    const core = Buffer.alloc(512);
    core.write('loading');
    core.writeUInt16LE(60, 0x1fc);
    core.writeUInt8(2, 0x1f4);
    const [first] = others;
    await disk.write(core, 0, 512, table === 'dos' ? 512 : (first?.partition?.startBytes ?? 0));
  }
  await disk.close();
  return devices;
};

const biosModules = { 'boot/grub/i386-pc/a.mod': 'm' };

const biosBoot = makePartition('/dev/loop0p1', 1, {
  sizeBytes: 64 * 512,
  partition: {
    ...{ number: 1, startBytes: 64 * 512, uuid: null, label: null },
    type: '21686148-6449-6e6f-744e-656564454649',
  },
});

test('boot code of something else is critical where it has taken the place of GRUB', async () => {
  const found = ['critical boot-loader.boot-code'];
  expect(await startOf(await foreignDisk('dos', [], true), biosModules)).toEqual(found);
  expect(await startOf(await foreignDisk('gpt', [biosBoot], true), biosModules)).toEqual(found);
});

test('boot code of something else is mended only where GRUB is known to have been on the disk', async () => {
  const mendsOf = async (devices: SubjectDevices, mounts: Subject['mounts'] = []) =>
    (await withSubject(devices, (subject) => startCheck.run(subject), mounts, biosModules)).map(
      ({ severity, repair }) => [severity, repair],
    );
  expect(await mendsOf(await foreignDisk('dos', [], false))).toEqual([['warning', null]]);
  expect(await mendsOf(await foreignDisk('gpt', [biosBoot], false))).toEqual([['warning', null]]);
  const lost: Subject['mounts'][number] = {
    ...{ target: '/boot/efi', spec: 'UUID=AAAA-BBBB', device: null, fsType: 'vfat', options: [] },
    ...{ state: 'missing', note: 'no attached device has it' },
  };
  const before = await foreignDisk('dos', [], true);
  expect(await mendsOf(before)).toEqual([['critical', 'boot-loader.install-bios']]);
  expect(await mendsOf({ ...before }, [lost])).toEqual([['warning', null]]);
});

test('boot code of something else is nothing where GRUB is started in another way', async () => {
  // GRUB was never installed for a BIOS: something from outside starts it.
  expect(await startOf(await foreignDisk('dos', [], true))).toEqual([]);
  const efi = await foreignDisk('gpt', [await makeEsp(whole)], false);
  expect(await startOf(efi, biosModules)).toEqual([]);
  // GRUB may begin in a partition, to which usual boot code leads.
  const first = makePartition('/dev/loop0p1', 1, { fsType: 'ext4' });
  const chained = await foreignDisk('dos', [first], false);
  await appendFile(chained.disk.path ?? '', Buffer.alloc(512, 'GRUB Hard Disk '));
  expect(await startOf(chained, biosModules)).toEqual([]);
});

test("GRUB's three lines that lead nowhere are found", async () => {
  const found = ['critical boot-loader.efi-config'];
  expect(await withEsp({ ...whole, 'EFI/debian/grub.cfg': '' })).toEqual(found);
  const lost = 'search.fs_uuid 11111111-2222-4333-8444-555566667777 root\n';
  expect(await withEsp({ ...whole, 'EFI/debian/grub.cfg': lost })).toEqual(found);
});

/** What another system has left on the partition, or one on a disk that is not attached. */
const fedora = {
  'EFI/fedora/shimx64.efi': shim,
  'EFI/fedora/grubx64.efi': program,
  'EFI/fedora/grub.cfg':
    'search --no-floppy --fs-uuid --set=dev 11111111-2222-4333-8444-555566667777\nset prefix=($dev)/grub2\nexport $prefix\nconfigfile $prefix/grub.cfg\n',
};
const debian = { 'etc/os-release': 'ID=debian\n' };

test("another vendor's directory stops nothing where the own one leads on", async () => {
  const found = async (files: Readonly<Record<string, string>>) =>
    startOf(await devicesWith('gpt', [await makeEsp(files)]), debian);
  const told = ['info boot-loader.efi-config'];
  expect(await found({ ...whole, ...fedora })).toEqual(told);
  expect(await found({ ...whole, ...fedora, 'EFI/fedora/grub.cfg': '' })).toEqual(told);
  const critical = 'critical boot-loader.efi-config';
  // The own one is broken, whatever the other one is.
  const lost = { 'EFI/debian/grub.cfg': fedora['EFI/fedora/grub.cfg'] };
  const right = { 'EFI/fedora/grub.cfg': vendor['EFI/debian/grub.cfg'] };
  expect(await found({ ...whole, ...fedora, ...lost, ...right })).toEqual([critical]);
  expect(await found({ ...whole, ...fedora, ...lost })).toEqual([critical, critical]);
  expect(await found({ ...removable, ...fedora })).toEqual([critical]);
  // GRUB alone has within itself where to go on.
  const alone = { 'EFI/GRUB/grubx64.efi': program };
  expect(await found({ ...removable, ...fedora, ...alone })).toEqual([
    'warning boot-loader.efi-config',
  ]);
});

test('a boot loader that is not known here is only told of', async () => {
  const told = ['info boot-loader.efi-programs'];
  expect(await withEsp({ 'EFI/refind/refind_x64.efi': program })).toEqual(told);
  expect(await withEsp({ 'EFI/limine/limine_x64.efi': program })).toEqual(told);
  expect(await withEsp({ 'EFI/Linux/arch-linux.efi': program })).toEqual(told);
  const found = ['critical boot-loader.efi-programs'];
  expect(await withEsp({ 'EFI/refind/refind_x64.efi': '' })).toEqual(found);
  expect(await withEsp({ 'EFI/refind/refind_x64.efi': 'x'.repeat(100) })).toEqual(found);
  // Where one that is known is broken, or has left its helpers or settings, it is what is missing.
  const other = { 'EFI/refind/refind_x64.efi': program };
  expect(await withEsp({ ...other, 'EFI/debian/grubx64.efi': '' })).toEqual(found);
  const helpers = { 'EFI/debian/mmx64.efi': program, 'EFI/debian/fwupdx64.efi': program };
  expect(await withEsp({ ...helpers, 'EFI/HP/a.efi': program })).toEqual(found);
  const settings = { 'loader/loader.conf': 'timeout 3\n' };
  expect(await withEsp({ ...settings, 'EFI/Linux/arch-linux.efi': program })).toEqual(found);
});

test('firmware of 32 bits starts programs of its own kind', async () => {
  const small = { 'EFI/debian/grubia32.efi': program, 'EFI/BOOT/BOOTIA32.EFI': program };
  expect(await withEsp(small)).toEqual([]);
  expect(await withEsp({ ...small, 'EFI/debian/grubx64.efi': '' })).toEqual([
    'critical boot-loader.efi-programs',
  ]);
});

test("SUSE's fallback program has a name of its own", async () => {
  const leading = { 'EFI/BOOT/BOOTX64.EFI': shim, 'EFI/BOOT/fallback.efi': program };
  expect(await withEsp({ ...vendor, ...leading })).toEqual([]);
});

/** A disk whose first sector has boot code of GRUB, without the rest of it. */
const oldCode = async (table: 'gpt' | 'dos', others: readonly Device[]) => {
  const devices = await devicesWith(table, others);
  const sector = Buffer.alloc(512);
  sector.write('GRUB \0Geom\0Hard Disk\0Read\0 Error\r\n', 0x180, 'latin1');
  sector.writeUInt32LE(1, 0x5c);
  const disk = await open(devices.disk.path ?? '', 'r+');
  await disk.write(sector, 0, 512, 0);
  await disk.close();
  return devices;
};

test('boot code of an older system counts only where something else for a BIOS is there', async () => {
  const efi = await makeEsp(whole);
  expect(await startOf(await oldCode('gpt', [efi]))).toEqual([]);
  const warned = ['warning boot-loader.core-damaged'];
  expect(await startOf(await oldCode('gpt', [efi]), biosModules)).toEqual(warned);
  expect(await startOf(await oldCode('gpt', [efi, biosBoot]))).toEqual(warned);
  expect(await startOf(await oldCode('dos', []))).toEqual(['critical boot-loader.core-damaged']);
});

test("GRUB's modules are looked for where they are", async () => {
  const directoryOf = async (more: Readonly<Record<string, TreeEntry>>) => {
    await using tree = await makeTree(more);
    return await biosDirectory(await subjectOf(tree.root));
  };
  const picture = { 'boot/grub/splash.xpm.gz': 'p' };
  expect(await directoryOf({ ...picture, 'boot/grub2/i386-pc/moddep.lst': 'm' })).toBe(
    '/boot/grub2/i386-pc',
  );
  expect(await directoryOf({ ...picture, 'boot/grub2/grub.cfg': 'm' })).toBe('/boot/grub2/i386-pc');
  expect(await directoryOf({ 'boot/grub/grub.cfg': 'm', 'boot/grub2/a': 'b' })).toBe(
    '/boot/grub/i386-pc',
  );
  expect(await directoryOf({ 'boot/grub2/a': 'b' })).toBe('/boot/grub2/i386-pc');
  expect(await directoryOf(picture)).toBe('/boot/grub/i386-pc');
});

test('an EFI system partition without a file system is found', async () => {
  const device = await makeEsp(whole);
  const handle = await open(device.path ?? '', 'r+');
  await handle.write(Buffer.alloc(512), 0, 512, 0);
  await handle.close();
  expect(await startOf(await devicesWith('gpt', [device]))).toEqual([
    'critical boot-loader.esp-damaged',
  ]);
});

test('another disk that is attached is not judged', async () => {
  const own = await devicesWith('gpt', [await makeEsp(whole)]);
  const blank = await makeFile('other.img', megabyte);
  const other = makeDevice(blank, { partitionTable: 'gpt', sizeBytes: megabyte });
  const devices = { ...own, disks: [own.disk, other] };
  const subjects = await withSubject(devices, (subject) => gptCheck.run(subject));
  expect(subjects.map(({ subject }) => subject)).not.toContain(blank);
  expect(subjects.map(({ subject }) => subject)).toContain(own.disk.path);
});
