import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { toolsWithoutBench } from '../../../fixtures/repair-tools.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import { commandLineCheck } from '../../diagnosis/boot-loader/command-line.ts';
import { clearCommandLine } from './clear-command-line.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';
const root = makePartition('/dev/loop0p3', 3, { fsType: 'ext4', uuid });
const disk = makeDevice('/dev/loop0', { partitionTable: 'gpt', children: [root] });
const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };

const tools = toolsWithoutBench();

const system: Readonly<Record<string, TreeEntry>> = {
  'boot/vmlinuz-6.1': 'k',
  'boot/initrd.img-6.1': 'i',
  'etc/os-release': 'PRETTY_NAME="Some Linux"\n',
};

/** Files that the repair writes, by path; only what was found as a problem is meant. */
const planOf = async (more: Readonly<Record<string, TreeEntry>>) => {
  await using tree = await makeTree({ ...system, ...more });
  const subject = await subjectOf(tree.root, {}, { devices });
  const findings = (await commandLineCheck.run(subject)).filter(
    ({ severity }) => severity !== 'info',
  );
  const plan = await clearCommandLine.plan(subject, findings, tools);
  if (plan.kind === 'refused') throw new Error(plan.reason);
  return Object.fromEntries(
    plan.changes.flatMap((change) =>
      change.kind === 'write-file' ? [[change.path, String(change.content)]] : [],
    ),
  );
};

test('the words go where grub-mkconfig takes them from, and the menu is made anew', async () => {
  const settings = (words: string) =>
    `GRUB_TIMEOUT=1\nGRUB_CMDLINE_LINUX_DEFAULT="${words}"\nGRUB_CMDLINE_LINUX='panic=1 '\n`;
  const written = await planOf({
    'boot/grub/grub.cfg': `menuentry a { linux /boot/vmlinuz-6.1 root=UUID=${uuid} quiet single 1 init=/bin/sh systemd.mask=a.service panic=1\ninitrd /boot/initrd.img-6.1\n}\n`,
    'etc/default/grub': settings('quiet single 1 systemd.mask=a.service'),
    'etc/default/grub.d/50.cfg': 'GRUB_CMDLINE_LINUX="init=/bin/sh net.ifnames=1"\n',
  });
  expect(written['/etc/default/grub']).toBe(settings('quiet systemd.mask=a.service'));
  expect(written['/etc/default/grub.d/50.cfg']).toBe('GRUB_CMDLINE_LINUX="net.ifnames=1"\n');
  expect(written['/boot/grub/grub.cfg']).toContain('quiet systemd.mask=a.service');
  expect(written['/boot/grub/grub.cfg']).not.toMatch(/ (?:single|1|init=\S+)(?:\s|$)/m);
});

test('a comment behind the setting, and blanks in the title of an entry, hide no word', async () => {
  const written = await planOf({
    'boot/grub/grub.cfg': `menuentry 'a  b\tc' { linux /boot/vmlinuz-6.1 root=UUID=${uuid} quiet single\ninitrd /boot/initrd.img-6.1\n}\n`,
    'etc/default/grub': 'GRUB_CMDLINE_LINUX="quiet single" # single or not\n',
    'etc/default/grub.d/1.cfg':
      "GRUB_CMDLINE_LINUX=single # note\nGRUB_CMDLINE_LINUX_DEFAULT='a single\n",
  });
  expect(written['/etc/default/grub']).toBe('GRUB_CMDLINE_LINUX="quiet" # single or not\n');
  expect(written['/etc/default/grub.d/1.cfg']).toBe(
    "GRUB_CMDLINE_LINUX= # note\nGRUB_CMDLINE_LINUX_DEFAULT='a\n",
  );
  expect(written['/boot/grub/grub.cfg']).toMatch(/ ro quiet$/m);
});

test('of an entry in a file of its own, and of later ones, the line of options loses them', async () => {
  const entry = (words: string) => `title 1\nlinux /k\ninitrd /i\noptions ${words}\n`;
  const written = await planOf({
    'boot/efi/loader/loader.conf': 'timeout 0\n',
    'boot/efi/loader/entries/a.conf': entry('root=UUID=a 1 quiet  systemd.unit=rescue.target'),
    'boot/efi/k': 'k',
    'boot/efi/i': 'i',
    'etc/kernel/cmdline': '# 1\nroot=UUID=a 1 quiet\n',
  });
  expect(written).toEqual({
    '/boot/efi/loader/entries/a.conf': entry('root=UUID=a quiet'),
    '/etc/kernel/cmdline': '# 1\nroot=UUID=a quiet\n',
  });
});
