import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { fakeHost, recorded } from '../../fixtures/fake-host.ts';
import type { Device } from '../devices/device.ts';
import { readDevices } from '../devices/read-devices.ts';
import { textWidth } from '../output/text-width.ts';
import { describeStacks } from '../storage/describe-stacks.ts';
import { listCommand, listDocument, listDocumentSchema, renderList } from './list.ts';

const worlds = ['virtio', 'nvme-ebs', 'scsi-azure', 'xen-2.34', 'multipath', 'md-lvm-host'];
const roots: Readonly<Record<string, string>> = {
  virtio: '254:1',
  'nvme-ebs': '259:1',
  'scsi-azure': '8:1',
  'xen-2.34': '202:1',
  multipath: '8:1',
  'md-lvm-host': '253:0',
};

const hostOf = (world: string) =>
  fakeHost(
    ({ program }) => {
      if (program === 'lsblk') return { stdout: recorded(`lsblk/${world}.json`) };
      // No superblock anywhere, no group, no member of an array.
      if (program === 'lvm') return { stdout: '{"report": []}' };
      return { exitCode: program === 'blkid' ? 2 : 1 };
    },
    { '/proc/self/mountinfo': `1 0 ${roots[world]} / / rw - ext4 /dev/x rw\n` },
  );

const ownership = { isOwnMount: () => false };
const devicesOf = async (world: string) => {
  const host = hostOf(world);
  return describeStacks(host, await readDevices(host, ownership));
};
const view = { columns: 80, colour: false, unicode: true };

test.each(worlds)('the tree of %s fits 80 columns', async (world) => {
  for (const colour of [false, true]) {
    const text = renderList(await devicesOf(world), { ...view, colour });
    for (const line of stripVTControlCharacters(text).split('\n')) {
      expect(textWidth(line)).toBeLessThanOrEqual(80);
      expect(line).toBe(line.trimEnd());
    }
  }
});

test('free disks come first, protected ones say why', async () => {
  const text = renderList(await devicesOf('virtio'), view);
  const [, ...lines] = text.split('\n');
  expect(lines[0]).toMatch(/^ {2}● \/dev\//);
  expect(text).toMatch(/○ \/dev\/vda/);
  expect(text).toContain("this machine's own disk: / is on it");
  expect(text.match(/own disk/g)).toHaveLength(1);
});

test('text from the disk cannot send escape sequences', async () => {
  const text = renderList(await devicesOf('virtio'), view);
  expect(text).toContain('"web-3"');
  expect(text).not.toContain('\u001b');
});

test.each(worlds)('only ASCII is written for %s where the locale has no more', async (world) => {
  const text = renderList(await devicesOf(world), { ...view, unicode: false });
  expect(text).toMatch(/^[\n -~]*$/);
});

test('a device that stands on two disks is shown once in full', async () => {
  const text = renderList(await devicesOf('md-lvm-host'), view);
  expect(text.match(/vg0-root/g)).toHaveLength(1);
  expect(text).toContain('(shown above)');
});

test('a clone of a disk of this machine is told from its original', async () => {
  const text = renderList(await devicesOf('nvme-ebs'), { ...view, columns: 120 });
  expect(text).toMatch(/duplicate of \/dev\/nvme0n1p1/);
});

test('a machine without a free disk says what to do next', async () => {
  const devices = (await devicesOf('virtio')).filter((device) => device.protected !== null);
  expect(renderList(devices, view)).toContain('Attach the disk of the broken machine');
});

const snap = (device: Device): Device => ({
  ...device,
  kind: 'loop',
  fsType: 'squashfs',
  protected: { reason: 'mounted at /snap/core/1' },
});

test('mounted software images are counted and shown only with --all', async () => {
  const [first, ...rest] = await devicesOf('virtio');
  if (first === undefined) throw new Error('no device');
  const devices = [snap(first), ...rest];
  expect(renderList(devices, view)).toContain('1 mounted software image not shown');
  expect(renderList(devices, { ...view, all: true })).toContain('/snap/core/1');
});

test.each(worlds)('the JSON of %s is what the schema says', async (world) => {
  const pieces: string[] = [];
  const options = {
    json: true,
    all: false,
    view,
    ownership,
    write: (text: string) => pieces.push(text),
  };
  expect(await listCommand(options, hostOf(world))).toBe(0);
  const document = JSON.parse(pieces.join(''));
  expect(listDocumentSchema.parse(document)).toEqual(document);
  expect(document).toEqual(listDocument(await devicesOf(world)));
});
