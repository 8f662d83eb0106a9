import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree } from '../../../fixtures/make-tree.ts';
import { findingAt, toolsWithoutBench, writtenBy } from '../../../fixtures/repair-tools.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import { setRoot } from './set-root.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';
const other = '6f1c0e1c-0000-4000-8000-1234567890ab';

// GRUB would have to open it by itself, which cannot be put into a menu here.
const root = makeDevice('/dev/dm-0', {
  ...{ name: 'dm-0', kind: 'luks', fsType: 'ext4', uuid },
  aliases: ['/dev/mapper/cr'],
});
const container = makePartition('/dev/loop0p1', 1, { fsType: 'crypto_LUKS', children: [root] });
const disk = makeDevice('/dev/loop0', { partitionTable: 'gpt', children: [container] });

const entry = (title: string, on: string, words: string) =>
  `menuentry '${title}' {\n\tsearch --fs-uuid --set=root ${on}\n\tlinux /boot/vmlinuz-6.1 ${words} quiet\n}\n`;

/** The menu as it is written, entries of which the first one was found to be broken. */
const mended = async (menu: string): Promise<string> => {
  await using tree = await makeTree({ 'boot/vmlinuz-6.1': 'k', 'boot/grub/grub.cfg': menu });
  const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };
  const subject = await subjectOf(tree.root, {}, { devices });
  const finding = findingAt('/boot/grub/grub.cfg', 3, '/boot/grub/grub.cfg first');
  const plan = await setRoot.plan(subject, [finding], toolsWithoutBench());
  return writtenBy(plan, '/boot/grub/grub.cfg');
};

const [wrong, right] = ['root=/dev/hda1', 'root=/dev/mapper/cr'];

test('where the menu cannot be made anew, only entries of this system get another root', async () => {
  const menu = (words: string) =>
    [
      ...[entry('first', uuid, words), entry('older kernel', uuid, words)],
      entry('another system', other, 'root=UUID=1234'),
      // It has the same name for its own disk.
      entry('one more', other, wrong),
    ].join('# next\n');
  expect(await mended(menu(wrong))).toBe(menu(right));
});

test('an entry with another root is left as it is', async () => {
  const menu = (words: string) => entry('first', uuid, words) + entry('b', uuid, 'root=LABEL=x');
  expect(await mended(menu(wrong))).toBe(menu(right));
});
