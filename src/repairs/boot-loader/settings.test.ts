import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { toolsWithoutBench } from '../../../fixtures/repair-tools.ts';
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

const tools = toolsWithoutBench();

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
  const noted = withSetting('A="1 # 2"  # why\r\nB=2\n', 'A', 'x');
  expect(noted).toBe('A="x"  # why\r\nB=2\n');
  expect(withSetting(noted, 'A', 'x')).toBe(noted);
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

test('settings that are made to be read slowly are read in no time', async () => {
  const began = performance.now();
  const blanks = ' '.repeat(150_000);
  expect(await mended(`A="${blanks}x\n`)).toBe(`A="${blanks}x"\n`);
  expect(await mended('(\n'.repeat(20_000))).toBeNull();
  expect(performance.now() - began).toBeLessThan(5000);
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

const place = '/0123456789abcdef0123456789abcdef/6.1';

/** The text of an entry after its repair; what it starts is not there. */
const mendedEntry = async (
  entry: string,
  more: Readonly<Record<string, TreeEntry>> = {},
): Promise<string | null> => {
  const files = {
    'boot/efi/loader/loader.conf': 'timeout 1\n',
    'boot/efi/loader/entries/m-5.conf': entry,
    [`boot/efi${place}/linux`]: 'k',
    [`boot/efi${place}/initrd`]: 'i',
    ...more,
  };
  const plan = await withTree(files, async (subject) => {
    const findings = await entriesCheck.run(subject);
    expect(findings.map(({ severity, repair }) => [severity, repair])).toEqual([
      ['critical', 'boot-loader.mend-entries'],
    ]);
    return mendEntries.plan(subject, findings, tools);
  });
  return contentOf(plan);
};

test('an entry of systemd-boot is led to the newest kernel on its partition', async () => {
  const entry = (linux: string, ...initrds: readonly string[]) =>
    ['title Linux', 'version 5', `linux ${linux}`, ...initrds.map((name) => `initrd  ${name}`)]
      .concat('options root=UUID=a quiet', '')
      .join('\n');
  const [kernel, initrd] = [`${place}/linux`, `${place}/initrd`];
  expect(await mendedEntry(entry('/m/5/linux', '/m/5/initrd'))).toBe(entry(kernel, initrd));
  // Microcode stays before it as long as it is there; other lines are of the kernel that is gone.
  const lines = ['/amd-ucode.img', '/m/5/initrd', '/m/5/more'];
  expect(await mendedEntry(entry('/m/5/linux', ...lines))).toBe(entry(kernel, initrd));
  const there = { 'boot/efi/amd-ucode.img': 'u' };
  expect(await mendedEntry(entry('/m/5/linux', ...lines), there)).toBe(
    entry(kernel, '/amd-ucode.img', initrd),
  );
  // So do keys; the initramfs of the old kernel goes, although it is there.
  const more = { 'boot/efi/keys.img': 'c', 'boot/efi/m/5/initrd': 'i' };
  expect(await mendedEntry(entry('/m/5/linux', '/m/5/initrd', '/keys.img'), more)).toBe(
    entry(kernel, initrd, '/keys.img'),
  );
  expect(await mendedEntry(entry('/m/5/linux'))).toBe(
    entry(kernel).replace(`${kernel}\n`, `${kernel}\ninitrd ${initrd}\n`),
  );
});

const fedora = {
  'boot/grub2/grubenv': 'x',
  'boot/grub2/grub.cfg': 'insmod blscfg\n',
  'usr/sbin/grub2-mkconfig': 'p',
  'usr/sbin/grub2-probe': 'p',
  'etc/default/grub': 'GRUB_CMDLINE_LINUX="console=ttyS0"\n',
};

/** A plan with a workbench whose grub-mkconfig makes the menu of the system anew with `blscfg`. */
const menuPlan = async (more: Readonly<Record<string, TreeEntry>>) => {
  await using tree = await makeTree({ ...fedora, 'made.cfg': 'insmod blscfg\nblscfg\n', ...more });
  const from = `${tree.root}/made.cfg`;
  const bench: RepairTools['bench'] = async () => ({
    results: [{ exitCode: 0, stdout: '', stderr: '' }],
    changes: [{ kind: 'copy-entry', path: '/boot/grub2/grub.cfg', from }],
  });
  const subject = await subjectOf(tree.root, {}, { devices });
  const plan = await writeConfig.plan(subject, [], { wishes: noWishes, bench });
  return plan.kind === 'refused'
    ? plan.reason
    : plan.changes.map((change) =>
        change.kind === 'write-file'
          ? `${change.path}\n${change.content}`
          : `${change.kind} ${'path' in change ? change.path : ''}`,
      );
};

test("a menu that leaves it to Fedora's entries gets them where there are none", async () => {
  const kernel = {
    'boot/vmlinuz-6.1': 'k',
    'boot/initramfs-6.1.img': 'i',
    'lib/modules/6.1/modules.dep': 'd',
    'etc/kernel/entry-token': 'fedora\n',
  };
  const made = await menuPlan(kernel);
  expect(made.slice(0, 2)).toEqual([
    'make-directory /boot/loader',
    'make-directory /boot/loader/entries',
  ]);
  expect(made[2]).toContain('/boot/loader/entries/fedora-6.1.conf\n');
  expect(made[2]).toContain(`options    root=UUID=${uuid} ro console=ttyS0\n`);
  expect(made[2]).toMatch(/linux +\/boot\/vmlinuz-6\.1\ninitrd +\/boot\/initramfs-6\.1\.img\n/);
  const there = { ...kernel, 'boot/loader/entries/a.conf': 'linux /boot/vmlinuz-6.1\n' };
  expect(await menuPlan(there)).toEqual(['copy-entry /boot/grub2/grub.cfg']);
  expect(await menuPlan({ 'boot/vmlinuz-6.1': 'k' })).toMatch(/loader\/entries/);
});
