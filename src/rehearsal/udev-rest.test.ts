import { expect, it } from 'vitest';
import { restRules } from './udev-rest.ts';

it('leaves alone the disks with their partitions, what shows them, and the layers, and nothing else', () => {
  const [layers, disks] = restRules('7f3a', ['vdb', 'nvme0n1'], ['/dev/vdb', '/dev/nvme0n1']);
  expect(layers?.[0]).toBe('/run/udev/rules.d/12-rescuekit-7f3a-layers.rules');
  expect(layers?.[1]).toContain('ATTR{dm/name}=="rescuekit-7f3a-layer-*"');
  expect(disks?.[1].split('\n')).toEqual([
    'SUBSYSTEM=="block", KERNEL=="vdb|vdb[0-9]*", ENV{ID_FS_TYPE}=""',
    'SUBSYSTEM=="block", KERNEL=="nvme0n1|nvme0n1p[0-9]*", ENV{ID_FS_TYPE}=""',
    'SUBSYSTEM=="block", ATTRS{loop/backing_file}=="/dev/vdb", ENV{ID_FS_TYPE}=""',
    'SUBSYSTEM=="block", ATTRS{loop/backing_file}=="/dev/nvme0n1", ENV{ID_FS_TYPE}=""',
    '',
  ]);
});
