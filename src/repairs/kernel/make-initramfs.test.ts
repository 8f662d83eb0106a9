import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { smallInitramfs } from '../../../fixtures/small-initramfs.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import { initramfsCheck } from '../../diagnosis/kernel/initramfs.ts';
import { noWishes, type RepairTools } from '../repair.ts';
import { makeInitramfs } from './make-initramfs.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';
const machine = '0123456789abcdef0123456789abcdef';
const place = `boot/efi/${machine}/6.1`;
const entryPath = 'boot/efi/loader/entries/m-6.1.conf';

const root = makePartition('/dev/loop0p3', 3, { fsType: 'xfs', uuid });
const disk = makeDevice('/dev/loop0', { children: [root] });
const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };

const system: Readonly<Record<string, TreeEntry>> = {
  'boot/efi/loader/loader.conf': 'timeout 0\n',
  [`${place}/linux`]: 'k',
  'boot/config-6.1': 'CONFIG_MODULES=y\n',
  'usr/lib/modules/6.1/modules.builtin': 'kernel/drivers/scsi/sd_mod.ko\n',
  'usr/lib/modules/6.1/modules.dep': 'd',
  lib: { link: 'usr/lib' },
  'usr/bin/dracut': 'd',
  // What the program of the system makes on the workbench.
  'made.img': smallInitramfs('usr/lib/modules/6.1/kernel/fs/xfs.ko'),
};

const entry = (...initrds: readonly string[]): string =>
  [`title L`, `linux /${machine}/6.1/linux`, ...initrds.map((line) => `initrd ${line}`)]
    .concat(`options root=UUID=${uuid}`, '')
    .join('\n');

/** Paths that are made, with the text of those that are edited. */
const planOf = async (
  more: Readonly<Record<string, TreeEntry>>,
  found = 'kernel.initramfs-missing',
): Promise<readonly string[]> => {
  await using tree = await makeTree({ ...system, ...more });
  const subject = await subjectOf(tree.root, {}, { devices });
  const findings = await initramfsCheck.run(subject);
  expect(findings.map(({ id }) => id)).toEqual([found]);
  const tools: RepairTools = {
    wishes: noWishes,
    bench: async ([command]) => ({
      results: [{ exitCode: 0, stdout: '', stderr: '' }],
      changes: [
        {
          kind: 'copy-entry',
          path: command?.words.at(-1) ?? '',
          from: `${tree.root}/made.img`,
        },
      ],
    }),
  };
  const plan = await makeInitramfs.plan(subject, findings, tools);
  if (plan.kind === 'refused') return [plan.reason];
  return plan.changes.map((change) =>
    change.kind === 'write-file'
      ? `${change.path}\n${change.content}`
      : `${change.kind} ${'path' in change ? change.path : ''}`,
  );
};

test('it is made where the entry of systemd-boot looks for it: on its own partition', async () => {
  const name = `/${machine}/6.1/initrd.img-6.1`;
  expect(await planOf({ [entryPath]: entry(name) })).toEqual([`copy-entry /boot/efi${name}`]);
  const elsewhere = await planOf({ [entryPath]: entry('/other/initrd') });
  expect(elsewhere).toEqual([
    'make-directory /boot/efi/other',
    'copy-entry /boot/efi/other/initrd',
  ]);
});

test('microcode before it is not taken for it', async () => {
  const name = `/${machine}/6.1/initrd`;
  const more = { 'boot/efi/intel-ucode.img': 'u' };
  expect(await planOf({ ...more, [entryPath]: entry('/intel-ucode.img', name) })).toEqual([
    `copy-entry /boot/efi${name}`,
  ]);
});

test('microcode that is gone is named no more, and nothing is made for it', async () => {
  const name = `/${machine}/6.1/initrd`;
  const more = { [`${place}/initrd`]: 'i' };
  expect(await planOf({ ...more, [entryPath]: entry('/intel-ucode.img', name) })).toEqual([
    `/${entryPath}\n${entry(name)}`,
  ]);
});

test('keys after the initramfs are kept, and never taken for it', async () => {
  const [name, keys] = [`/${machine}/6.1/initrd`, '/keys.img'];
  const beside = { 'boot/efi/keys.img': 'c' };
  const named = entry('/intel-ucode.img', name, keys);
  expect(await planOf({ ...beside, [`${place}/initrd`]: 'i', [entryPath]: named })).toEqual([
    `/${entryPath}\n${entry(name, keys)}`,
  ]);
  expect(await planOf({ ...beside, [entryPath]: named })).toEqual([
    `copy-entry /boot/efi${name}`,
    `/${entryPath}\n${entry(name, keys)}`,
  ]);
});

test('of an initramfs that is damaged with keys after it, the initramfs is made anew', async () => {
  const name = `/${machine}/6.1/initrd`;
  const more = { [`${place}/initrd`]: 'i', 'boot/efi/keys.img': smallInitramfs('key') };
  const damaged = { ...more, [entryPath]: entry(name, '/keys.img') };
  expect(await planOf(damaged, 'kernel.initramfs-damaged')).toEqual([
    `copy-entry /boot/efi${name}`,
  ]);
});

test('an entry that names no initramfs is told of the new one', async () => {
  const name = `/${machine}/6.1/initrd.img-6.1`;
  expect(await planOf({ [entryPath]: entry() })).toEqual([
    `copy-entry /boot/efi${name}`,
    `/${entryPath}\n${entry(name)}`,
  ]);
});

test("Fedora's entries name paths as GRUB sees them", async () => {
  const fedora = (linux: string, initrd: string) => ({
    'boot/grub2/grub.cfg': 'blscfg\n',
    'boot/loader/entries/m.conf': `linux ${linux}\ninitrd ${initrd} $tuned_initrd\noptions a\n`,
    'boot/vmlinuz-6.1': 'k',
  });
  const made = ['copy-entry /boot/initramfs-6.1.img'];
  expect(await planOf(fedora('/vmlinuz-6.1', '/initramfs-6.1.img'))).toEqual(made);
  expect(await planOf(fedora('/boot/vmlinuz-6.1', '/boot/initramfs-6.1.img'))).toEqual(made);
  expect(await planOf(fedora('/root/boot/vmlinuz-6.1', '/root/boot/initramfs-6.1.img'))).toEqual(
    made,
  );
});
