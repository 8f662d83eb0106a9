import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { writtenBy } from '../../../fixtures/repair-tools.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import { noWishes, type RepairTools } from '../repair.ts';
import { startAnother, startAnotherPlan } from './start-another.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';
const root = makePartition('/dev/loop0p3', 3, { fsType: 'ext4', uuid });
const disk = makeDevice('/dev/loop0', { partitionTable: 'gpt', children: [root] });
const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };

const entry = (version: string): string =>
  `menuentry 'L ${version}' $menuentry_id_option 'gnulinux-${version}-advanced-${uuid}' {\n\tlinux /boot/vmlinuz-${version} root=UUID=${uuid}\n}\n`;
const simple = `menuentry 'L' $menuentry_id_option 'gnulinux-simple-${uuid}' {\n\tlinux /boot/vmlinuz-6.2 root=UUID=${uuid}\n}\n`;
const submenu = `submenu 'Advanced' $menuentry_id_option 'gnulinux-advanced-${uuid}' {\n${entry('6.2')}${entry('6.1')}}\n`;

const kernels = ['6.2', '6.1'].map((version) => ({
  ...{ version, image: `/boot/vmlinuz-${version}`, initramfs: `/boot/initrd.img-${version}` },
  modules: true,
}));

/** @param menu what grub-mkconfig makes of the settings; `DEFAULT` stands for GRUB_DEFAULT. */
const settingsOf = async (menu: string, more: Readonly<Record<string, TreeEntry>> = {}) => {
  await using tree = await makeTree({
    'boot/vmlinuz-6.2': 'kernel',
    'boot/vmlinuz-6.1': 'kernel',
    'boot/grub/grub.cfg': simple,
    'etc/default/grub': 'GRUB_DEFAULT=saved # the last one\nGRUB_TIMEOUT=1\n',
    'usr/sbin/grub-mkconfig': 'm',
    'usr/sbin/grub-probe': 'p',
    'made.cfg': '',
    ...more,
  });
  const tools: RepairTools = {
    wishes: noWishes,
    bench: async (_, prepare = []) => {
      const settings = prepare.find(
        (change) => 'path' in change && change.path === '/etc/default/grub',
      );
      const text = settings?.kind === 'write-file' ? String(settings.content) : '';
      const name = /^GRUB_DEFAULT="(.*)"/m.exec(text)?.[1] ?? '0';
      await writeFile(`${tree.root}/made.cfg`, menu.replace('DEFAULT', name));
      return {
        results: [{ exitCode: 0, stdout: '', stderr: '' }],
        changes: [
          { kind: 'copy-entry', path: '/boot/grub/grub.cfg', from: `${tree.root}/made.cfg` },
        ],
      };
    },
  };
  const facts = { kernels, bootLoaders: [{ name: 'grub' as const, config: null }] };
  const subject = await subjectOf(tree.root, facts, { devices });
  const plan = await startAnotherPlan(subject, tools, (path) => path.endsWith('6.2'));
  return plan === null ? null : writtenBy(plan, '/etc/default/grub');
};

const set = 'set default="DEFAULT"\n';
const id = `gnulinux-6.1-advanced-${uuid}`;

test('the kernel is named as the menu names it, and a comment stays', async () => {
  expect(await settingsOf(`${set}${simple}${submenu}`)).toBe(
    `GRUB_DEFAULT="gnulinux-advanced-${uuid}>${id}" # the last one\nGRUB_TIMEOUT=1\n`,
  );
});

test('without submenus the entry alone is named', async () => {
  const flat = `${set}${entry('6.2')}${entry('6.1')}`;
  expect(await settingsOf(flat)).toContain(`GRUB_DEFAULT="${id}" # the last one\n`);
});

test('it is refused where the menu would start another one', async () => {
  const refusal = /^refused: GRUB's menu would not start Linux 6\.1 by itself/;
  // Entries under other names, as Fedora has them.
  expect(await settingsOf(`${set}${simple}menuentry 'x' { linux /boot/vmlinuz-6.1\n}\n`)).toMatch(
    refusal,
  );
  // A file in /etc/default/grub.d says something else.
  expect(await settingsOf(`set default="0"\n${simple}${submenu}`)).toMatch(refusal);
  // The next start was chosen before.
  const chosen = `if [ "\${next_entry}" ] ; then\n set default="\${next_entry}"\nelse\n ${set}fi\n`;
  const saved = { 'boot/grub/grubenv': '# GRUB Environment Block\nnext_entry=0\n' };
  expect(await settingsOf(`${chosen}${simple}${submenu}`, saved)).toMatch(refusal);
  expect(await settingsOf(`${chosen}${simple}${submenu}`)).toContain(id);
});

test('the risk says that the choice stays', () => {
  expect(startAnother.risk).toContain('GRUB_DEFAULT');
});
