import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { toolsWithoutBench } from '../../../fixtures/repair-tools.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import { createHost } from '../../host/host.ts';
import { setRoot } from '../../repairs/boot-loader/set-root.ts';
import type { Subject } from '../subject.ts';
import { rootArgumentCheck } from './root-argument.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';
const root = makePartition('/dev/loop0p3', 3, { fsType: 'btrfs', uuid });
const disk = makeDevice('/dev/loop0', { children: [root] });
const devices = { root, disk, disks: [disk], subvolume: '@', volumes: [] };

/** As btrfs-progs 6 prints it. */
const listed =
  'ID 256 gen 10 top level 5 path @\nID 257 gen 9 top level 5 path @home\nID 260 gen 9 top level 256 path old/1\n';

const withOptions = async <T>(
  options: string,
  work: (subject: Subject) => Promise<T>,
  stdout = listed,
): Promise<T> =>
  withFiles(
    {
      'boot/efi/loader/loader.conf': '',
      'boot/efi/loader/entries/a.conf': `linux /k\noptions root=UUID=${uuid} ${options} quiet\n`,
      'boot/efi/k': 'k',
    },
    work,
    stdout,
  );

const withFiles = async <T>(
  files: Readonly<Record<string, TreeEntry>>,
  work: (subject: Subject) => Promise<T>,
  stdout = listed,
): Promise<T> => {
  await using tree = await makeTree(files);
  const run = async () => ({ exitCode: 0, stdout, stderr: '', seconds: 0, signal: null });
  const host = { ...createHost(), run: run as never };
  return await work(await subjectOf(tree.root, {}, { devices, host }));
};

const find = (options: string, stdout?: string): Promise<readonly string[]> =>
  withOptions(
    options,
    async (subject) =>
      (await rootArgumentCheck.run(subject)).map(({ severity, title }) => `${severity} ${title}`),
    stdout,
  );

test('a subvolume that is there, the top, or none is right', async () => {
  for (const options of [
    ...[
      '',
      'rootflags=noatime',
      'rootflags=subvol=@',
      'rootflags=subvol=/@home',
      'rootflags=subvol=@/old/1',
      'rootflags=subvolid=257',
    ],
    ...['rootflags=subvolid=5', 'rootflags=subvol=/', 'rootflags=compress=zstd,subvol=@home'],
  ]) {
    expect(await find(options), options).toEqual([]);
  }
});

test('one that is not there is critical, and nothing is said where they cannot be listed', async () => {
  for (const option of ['subvol=@old', 'subvolid=300', 'subvol=@home/x']) {
    expect(await find(`rootflags=noatime,${option}`)).toEqual([
      `critical The kernel is told rootflags=${option}, and the root's file system has no such subvolume.`,
    ]);
  }
  expect(await find('rootflags=subvol=@old', '')).toEqual([]);
});

test('the entry is told of the subvolume in which the root was found', async () => {
  const plan = await withOptions('rootflags=noatime,subvol=@old', async (subject) => {
    const findings = await rootArgumentCheck.run(subject);
    return setRoot.plan(subject, findings, toolsWithoutBench());
  });
  const [change] = plan.kind === 'changes' ? plan.changes : [];
  expect(change?.kind === 'write-file' ? change.content : null).toBe(
    `linux /k\noptions root=UUID=${uuid} rootflags=noatime,subvol=@ quiet\n`,
  );
});

test('the settings keep the other options of the root, which would hide those of the menu', async () => {
  const settings = (flags: string) => `GRUB_CMDLINE_LINUX="root=UUID=a ${flags} quiet"\n`;
  const lost = 'rootflags=compress=zstd,subvol=@old';
  const files = {
    'boot/grub/grub.cfg': `menuentry 'a' { linux /@/boot/vmlinuz-6.1 root=UUID=${uuid} ${lost} quiet\n}\n`,
    'boot/grub/grubenv': 'x',
    'boot/vmlinuz-6.1': 'k',
    'boot/initrd.img-6.1': 'i',
    'etc/os-release': 'PRETTY_NAME="Some Linux"\n',
    'etc/default/grub': settings(lost),
    'etc/default/grub.d/1.cfg': settings('rootflags=subvol=@old'),
  };
  const plan = await withFiles(files, async (subject) =>
    setRoot.plan(subject, await rootArgumentCheck.run(subject), toolsWithoutBench()),
  );
  const changes = plan.kind === 'changes' ? plan.changes : [];
  const written = changes.flatMap((change) =>
    change.kind === 'write-file' ? [[change.path, String(change.content)] as const] : [],
  );
  const content = Object.fromEntries(written);
  expect(content['/etc/default/grub']).toBe(
    'GRUB_CMDLINE_LINUX="rootflags=compress=zstd,subvol=@ quiet"\n',
  );
  expect(content['/etc/default/grub.d/1.cfg']).toBe('GRUB_CMDLINE_LINUX="quiet"\n');
});
