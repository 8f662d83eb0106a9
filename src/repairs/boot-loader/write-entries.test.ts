import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { toolsWithoutBench } from '../../../fixtures/repair-tools.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import type { Kernel } from '../../system-image/system-facts.ts';
import { writeEntries } from './write-entries.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';
const machine = '0123456789abcdef0123456789abcdef';
const type = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const node = '/dev/loop0p1';

const partition = { number: 1, startBytes: 2 ** 20, uuid: null, label: null, type };
const esp = makePartition(node, 1, { fsType: 'vfat', uuid: '1234-ABCD', partition });
const root = makePartition('/dev/loop0p2', 2, { fsType: 'ext4', uuid });
const disk = makeDevice('/dev/loop0', { partitionTable: 'gpt', children: [esp, root] });
const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };
const mount = {
  ...{ target: '/boot/efi', spec: 'UUID=1234-ABCD', device: node, fsType: 'vfat' },
  ...{ options: [], state: 'mount' as const, note: null },
};

const kernel = (version: string, more: Partial<Kernel> = {}): Kernel => ({
  ...{ version, image: `/boot/vmlinuz-${version}`, initramfs: `/boot/initrd.img-${version}` },
  modules: true,
  ...more,
});

const system: Readonly<Record<string, TreeEntry>> = {
  'boot/efi/EFI/systemd/systemd-bootx64.efi': 'MZ',
  'boot/vmlinuz-6.2': 'kernel 6.2',
  'boot/initrd.img-6.2': 'initramfs 6.2',
  'boot/vmlinuz-6.1': 'kernel 6.1',
  'boot/initrd.img-6.1': 'initramfs 6.1',
  'etc/machine-id': `${machine}\n`,
};

const planOf = async (
  more: Readonly<Record<string, TreeEntry>>,
  kernels: readonly Kernel[],
  mounted = true,
) => {
  await using tree = await makeTree({ ...system, ...more });
  const os = { id: 'debian', versionId: '12', prettyName: 'Debian 12' };
  const unread = { ...disk, children: [{ ...esp, path: null }, root] };
  const own = { ...devices, ...(mounted ? {} : { disk: unread, disks: [unread] }) };
  const mounts = mounted ? [mount] : [];
  const subject = await subjectOf(tree.root, { os, kernels }, { devices: own, mounts });
  const plan = await writeEntries.plan(subject, [], toolsWithoutBench());
  return 'changes' in plan
    ? plan.changes.map((change) =>
        change.kind === 'write-file'
          ? `${change.path}: ${change.content}`
          : `${change.kind} ${'path' in change ? change.path : ''}`,
      )
    : plan.reason;
};

test('the newest kernels come with their initramfs and an entry, as kernel-install writes it', async () => {
  const place = `/${machine}/6.2`;
  const changes = await planOf({ 'etc/kernel/cmdline': '# comment\nroot=LABEL=x\n quiet\n' }, [
    kernel('6.2'),
  ]);
  expect(changes).toEqual([
    `make-directory /boot/efi/${machine}`,
    `make-directory /boot/efi${place}`,
    'make-directory /boot/efi/loader',
    'make-directory /boot/efi/loader/entries',
    `/boot/efi${place}/linux: kernel 6.2`,
    `/boot/efi${place}/initrd.img-6.2: initramfs 6.2`,
    `/boot/efi/loader/entries/${machine}-6.2.conf: ${[
      ...['title      Debian 12', 'version    6.2', `machine-id ${machine}`],
      ...['sort-key   debian', 'options    root=LABEL=x quiet'],
      ...[`linux      ${place}/linux`, `initrd     ${place}/initrd.img-6.2`, ''],
    ].join('\n')}`,
  ]);
});

test('two kernels at most, none that has no modules or initramfs, and the root by its UUID', async () => {
  const kernels = [
    ...[kernel('6.4', { modules: false }), kernel('6.3', { initramfs: null })],
    ...[kernel('6.2'), kernel('6.1'), kernel('6.0')],
  ];
  const text = String(await planOf({ 'etc/kernel/entry-token': 'debian\n' }, kernels));
  expect(text.match(/version +\S+/g)).toEqual(['version    6.2', 'version    6.1']);
  expect(text).toContain(`options    root=UUID=${uuid} ro\n`);
  expect(text).toContain('linux      /debian/6.2/linux');
});

test('what lies on the partition already is named as it lies there', async () => {
  const place = `/boot/efi/${machine}/6.2`;
  const own = kernel('6.2', { image: `${place}/linux`, initramfs: `${place}/initrd` });
  const changes = await planOf(
    { [`${place.slice(1)}/linux`]: 'kernel 6.2', [`${place.slice(1)}/initrd`]: 'initramfs 6.2' },
    [kernel('6.2'), own],
  );
  expect(String(changes)).toContain(`initrd     /${machine}/6.2/initrd\n`);
  expect(String(changes)).not.toContain('kernel 6.2');
});

test('a copy that is there is not written again', async () => {
  const place = `boot/efi/${machine}/6.2`;
  const there = { [`${place}/linux`]: 'kernel 6.2', [`${place}/initrd.img-6.2`]: 'cut o' };
  const text = String(await planOf(there, [kernel('6.2')]));
  expect(text).not.toContain('linux: kernel 6.2');
  expect(text).toContain('initrd.img-6.2: initramfs 6.2');
});

test('nothing is planned without a kernel that can start, or without the partition', async () => {
  expect(await planOf({}, [kernel('6.2', { initramfs: null })])).toMatch(/^No kernel/);
  expect(await planOf({}, [kernel('../../x')])).toMatch(/^No kernel/);
  expect(await planOf({}, [kernel('6.2')], false)).toMatch(/is not mounted here/);
});
