import { describe, expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { writtenBy } from '../../../fixtures/repair-tools.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import { parseGrubScript } from '../../system-image/grub-script.ts';
import { noWishes, type RepairTools } from '../repair.ts';
import { makeGrubMenu } from './make-menu.ts';
import { otherSystems, withOtherSystems } from './other-systems.ts';

const part = (script: string, text: string): string =>
  `### BEGIN /etc/grub.d/${script} ###\n${text}### END /etc/grub.d/${script} ###\n`;
const windows = "menuentry 'Windows' $menuentry_id_option 'osprober-efi' {\n\tchainloader /w\n}\n";
const linux = (version: string): string => `menuentry 'L' {\n\tlinux /boot/vmlinuz-${version}\n}\n`;
const found = part('30_os-prober', windows);

describe('the entries of other systems', () => {
  test('are taken from a menu with their marks', () => {
    const menu = `${part('10_linux', linux('1'))}\n${found}\n${part('41_custom', '')}`;
    expect(otherSystems(menu)).toBe(found);
    expect(otherSystems(menu.replaceAll('\n', '\r\n'))).toBe(found.replaceAll('\n', '\r\n'));
  });

  test('are none where there is no entry, or the part is cut off or damaged', () => {
    expect(otherSystems('')).toBeNull();
    expect(otherSystems(part('30_os-prober', ''))).toBeNull();
    expect(otherSystems(found.replace(/### END.*/s, ''))).toBeNull();
    expect(otherSystems(part('30_os-prober', windows.replace('}', '')))).toBeNull();
    expect(otherSystems(part('10_linux', windows))).toBeNull();
  });

  test('stand where grub-mkconfig puts them', () => {
    const [first, last] = [part('10_linux', linux('1')), part('30_uefi-firmware', '')];
    expect(withOtherSystems(`${first}\n${last}`, found)).toBe(`${first}\n${found}\n${last}`);
    expect(withOtherSystems(first, found)).toBe(`${first}\n${found}`);
  });
});

const root = makePartition('/dev/loop0p3', 3, { fsType: 'ext4', uuid: 'r007' });
const disk = makeDevice('/dev/loop0', { partitionTable: 'gpt', children: [root] });
const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };

const system: Readonly<Record<string, TreeEntry>> = {
  'boot/vmlinuz-6.1': 'k',
  'boot/initrd.img-6.1': 'i',
  'boot/grub/grub.cfg': `${part('10_linux', linux('6.0'))}\n${found}`,
  'etc/default/grub': 'GRUB_TIMEOUT=1\n',
  'etc/grub.d/30_os-prober': { program: '#!/bin/sh\n' },
  'usr/sbin/grub-mkconfig': 'm',
  'usr/sbin/grub-probe': 'p',
  // What grub-mkconfig makes on the workbench, where os-prober is not run.
  'made.cfg': `${part('10_linux', linux('6.1'))}\n${part('41_custom', '')}`,
};

/** The menu that is written; `copied` where it is the one of the workbench. */
const menuOf = async (more: Readonly<Record<string, TreeEntry>>): Promise<string> => {
  await using tree = await makeTree({ ...system, ...more });
  const tools: RepairTools = {
    wishes: noWishes,
    bench: async () => ({
      results: [{ exitCode: 0, stdout: '', stderr: '' }],
      changes: [
        { kind: 'copy-entry', path: '/boot/grub/grub.cfg', from: `${tree.root}/made.cfg` },
        { kind: 'copy-entry', path: '/boot/grub/grub.cfg.new', from: `${tree.root}/made.cfg` },
      ],
    }),
  };
  const plan = await makeGrubMenu(await subjectOf(tree.root, {}, { devices }), tools);
  if (plan.kind === 'refused') throw new Error(plan.reason);
  expect(plan.changes).toHaveLength(1);
  return plan.changes[0]?.kind === 'copy-entry' ? 'copied' : writtenBy(plan, '/boot/grub/grub.cfg');
};

test('a menu that is made anew keeps what os-prober had found', async () => {
  const menu = await menuOf({});
  expect(menu).toBe(`${part('10_linux', linux('6.1'))}\n${found}\n${part('41_custom', '')}`);
  expect(parseGrubScript(menu).problem).toBeNull();
});

test('it does not where there is nothing to keep, or update-grub would not either', async () => {
  expect(await menuOf({ 'boot/grub/grub.cfg': '' })).toBe('copied');
  expect(await menuOf({ 'etc/default/grub': 'GRUB_DISABLE_OS_PROBER=true\n' })).toBe('copied');
  expect(await menuOf({ 'etc/grub.d/30_os-prober': '#!/bin/sh\n' })).toBe('copied');
});

test('a menu that starts no kernel of this system is no good, whatever other systems it starts', async () => {
  const other = part('30_os-prober', linux('5.0'));
  const more = { 'boot/grub/grub.cfg': other, 'made.cfg': part('10_linux', '') };
  await expect(menuOf(more)).rejects.toThrow('it starts no kernel');
});
