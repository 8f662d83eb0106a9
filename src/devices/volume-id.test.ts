import { expect, test } from 'vitest';
import { type DiskIdentity, volumeId } from './volume-id.ts';

const idOf = (disk: Partial<DiskIdentity>): string | null =>
  volumeId({ serial: null, model: null, vendor: null, links: [], name: 'sda', ...disk });

test.each([
  ['the serial of an EBS volume', { serial: 'vol0abc1234def567890' }, 'vol-0abc1234def567890'],
  ['an old short EBS id', { serial: 'vol1a2b3c4d' }, 'vol-1a2b3c4d'],
  [
    'the link of an EBS volume with its name space',
    { links: ['/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0abc1234def567890_1'] },
    'vol-0abc1234def567890',
  ],
  ['the name of a Google disk', { links: ['/dev/disk/by-id/google-web-3'] }, 'web-3'],
  [
    'a Google disk without udev',
    { vendor: 'Google', model: 'PersistentDisk', serial: 'web-3' },
    'web-3',
  ],
  ['the unit number on Azure', { links: ['/dev/disk/azure/scsi1/lun2'] }, 'lun-2'],
  ['the unit number of an NVMe on Azure', { links: ['/dev/disk/azure/data/by-lun/11'] }, 'lun-11'],
  [
    'the cut-off id of virtio on OpenStack',
    { serial: '0b9d6a52-9d3e-4c55-8' },
    '0b9d6a52-9d3e-4c55-8',
  ],
  [
    'the whole id of SCSI on OpenStack',
    { serial: '0b9d6a52-9d3e-4c55-8a11-0242ac120002' },
    '0b9d6a52-9d3e-4c55-8a11-0242ac120002',
  ],
  [
    'the whole id in a link',
    { links: ['/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_0b9d6a52-9d3e-4c55-8a11-0242ac120002'] },
    '0b9d6a52-9d3e-4c55-8a11-0242ac120002',
  ],
  ['a Hetzner volume', { vendor: 'HC', model: 'Volume', serial: '10203040' }, '10203040'],
  ['a DigitalOcean volume', { links: ['/dev/disk/by-id/scsi-0DO_Volume_data-1'] }, 'data-1'],
])('tells %s', (_, disk, id) => {
  expect(idOf(disk)).toBe(id);
});

test.each([
  ['a disk on old Xen', { name: 'xvdf' }],
  [
    'the instance store of EC2',
    { serial: 'AWS1A2B3C4D5E6F70819', model: 'Amazon EC2 NVMe Instance Storage' },
  ],
  ['a disk at home', { serial: 'S5XXNJ0R100001A', links: ['/dev/disk/by-id/ata-Samsung_S5XX'] }],
  ['the system disk on Azure', { links: ['/dev/disk/azure/root'] }],
  ['a link to a partition', { links: ['/dev/disk/by-id/google-web-3-part1'] }],
])('says nothing for %s', (_, disk) => {
  expect(idOf(disk)).toBeNull();
});
