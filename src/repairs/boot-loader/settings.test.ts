import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import { entriesCheck } from '../../diagnosis/boot-loader/entries.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { parseGrubScript } from '../../system-image/grub-script.ts';
import { noWishes, type Repair, type RepairPlan, type RepairTools } from '../repair.ts';
import { grubPlaces } from './grub-places.ts';
import { mendDefaults } from './mend-defaults.ts';
import { mendEntries } from './mend-entries.ts';
import { plainGrubConfig } from './plain-grub-config.ts';
import { withSetting } from './shell-settings.ts';
import { writeConfig } from './write-config.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';
const root = makePartition('/dev/loop0p3', 3, { fsType: 'ext4', uuid });
const disk = makeDevice('/dev/loop0', { partitionTable: 'gpt', children: [root] });
const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };

const tools: RepairTools = {
  wishes: noWishes,
  bench: async () => {
    throw new Error('nothing may be run here');
  },
};

const withTree = async <T>(
  entries: Readonly<Record<string, TreeEntry>>,
  work: (subject: Subject) => Promise<T>,
): Promise<T> => {
  await using tree = await makeTree(entries);
  return await work(await subjectOf(tree.root, {}, { devices }));
};

const contentOf = (plan: RepairPlan): string | null => {
  const [change] = plan.kind === 'changes' ? plan.changes : [];
  return change?.kind === 'write-file' ? String(change.content) : null;
};

const planOf = (repair: Repair, entries: Readonly<Record<string, TreeEntry>>) =>
  withTree(entries, (subject) => repair.plan(subject, [], tools));

test('a setting is replaced where it counts and added where it is not', () => {
  expect(withSetting('A=1\nB=2\nA=3\n# A=4\n', 'A', 'x y')).toBe('A=1\nB=2\nA="x y"\n# A=4\n');
  expect(withSetting('B=2', 'A', 'x')).toBe('B=2\nA="x"\n');
  const once = withSetting('B=2\r\nA=1\r\n', 'A', 'x');
  expect(once).toBe('B=2\r\nA="x"\r\n');
  expect(withSetting(once, 'A', 'x')).toBe(once);
});

const mended = async (text: string): Promise<string | null> =>
  contentOf(await planOf(mendDefaults, { 'etc/default/grub': text }));

test('the one quotation mark that is missing is put in, and nothing else is changed', async () => {
  expect(await mended('# a\nA="quiet splash\nB="x"\n')).toBe('# a\nA="quiet splash"\nB="x"\n');
  expect(await mended('A=quiet"\n')).toBe('A="quiet"\n');
  expect(await mended("A=1\nB='x y\n")).toBe("A=1\nB='x y'\n");
});

test('a line that is no assignment becomes a comment', async () => {
  expect(await mended('A=1\n<<<<<<< HEAD)\nB=2\n')).toBe('A=1\n#<<<<<<< HEAD)\nB=2\n');
});

test('where two lines can be meant nothing is changed', async () => {
  const plan = await planOf(mendDefaults, { 'etc/default/grub': 'A="x\nB=1\n)\n(\n' });
  expect(plan.kind).toBe('refused');
});

const kernels = {
  'boot/vmlinuz-6.1': 'k',
  'boot/initrd.img-6.1': 'i',
  'boot/vmlinuz-6.2': 'k',
  'etc/os-release': 'PRETTY_NAME="Some Linux"\n',
  'boot/grub/grubenv': 'x',
};

test('without grub-mkconfig a small menu is written that GRUB can read', async () => {
  const defaults = 'GRUB_TIMEOUT=2\nGRUB_CMDLINE_LINUX="console=ttyS0"\nGRUB_TERMINAL=serial\n';
  const plan = await planOf(writeConfig, { ...kernels, 'etc/default/grub': defaults });
  const text = contentOf(plan) ?? '';
  expect(parseGrubScript(text).problem).toBeNull();
  expect(text).toContain(`linux /boot/vmlinuz-6.1 root=UUID=${uuid} ro console=ttyS0`);
  expect(text).toContain('initrd /boot/initrd.img-6.1');
  expect(text).toContain('set timeout=2');
  expect(text).toContain('terminal_input serial');
  expect(text).toContain('insmod part_gpt\ninsmod ext2');
});

test('a menu is never made of commands that the settings would run', async () => {
  const text = await withTree(kernels, async (subject) => {
    const places = grubPlaces(subject);
    if (places === null) throw new Error('no places');
    return plainGrubConfig(subject, places, 'GRUB_CMDLINE_LINUX="$(reboot)"\nGRUB_TIMEOUT=`id`\n');
  });
  expect(text).not.toMatch(/reboot|id`/);
});

test('without a kernel, or where /boot cannot be named, no menu is made', async () => {
  expect((await planOf(writeConfig, { 'boot/grub/grubenv': 'x' })).kind).toBe('refused');
  const plan = await withTree(kernels, (subject) =>
    writeConfig.plan({ ...subject, devices: null }, [], tools),
  );
  expect(plan.kind).toBe('refused');
});

test('an entry of systemd-boot is led to the newest kernel on its partition', async () => {
  const entry =
    'title Linux\nversion 5\nlinux /m/5/linux\ninitrd  /m/5/initrd\noptions root=UUID=a quiet\n';
  const files = {
    'boot/efi/loader/loader.conf': 'timeout 1\n',
    'boot/efi/loader/entries/m-5.conf': entry,
    'boot/efi/0123456789abcdef0123456789abcdef/6.1/linux': 'k',
    'boot/efi/0123456789abcdef0123456789abcdef/6.1/initrd': 'i',
  };
  const plan = await withTree(files, async (subject) => {
    const findings = await entriesCheck.run(subject);
    expect(findings.map(({ severity, repair }) => [severity, repair])).toEqual([
      ['critical', 'boot-loader.mend-entries'],
    ]);
    return mendEntries.plan(subject, findings, tools);
  });
  const place = '/0123456789abcdef0123456789abcdef/6.1';
  expect(contentOf(plan)).toBe(
    entry.replace('/m/5/linux', `${place}/linux`).replace('/m/5/initrd', `${place}/initrd`),
  );
});
