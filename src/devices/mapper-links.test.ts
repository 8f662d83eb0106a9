import { expect, test } from 'vitest';
import { mapperLinks } from './mapper-links.ts';

const uuid = `LVM-${'a'.repeat(32)}${'b'.repeat(32)}`;

test('a volume is known by group and name, with the dashes that they really have', () => {
  expect(mapperLinks({ name: 'vg--a-root--1', uuid })).toEqual([
    '/dev/disk/by-id/dm-name-vg--a-root--1',
    `/dev/disk/by-id/dm-uuid-${uuid}`,
    '/dev/vg-a/root-1',
  ]);
});

test('hidden volumes and mappings of other kinds have no name of a group', () => {
  for (const mapper of [
    { name: 'vg-pool-tpool', uuid: `${uuid}-tpool` },
    { name: 'vg0-root', uuid: 'CRYPT-LUKS2-0123-vg0-root' },
    { name: 'vg0-root', uuid: null },
  ]) {
    expect(mapperLinks(mapper).filter((link) => !link.startsWith('/dev/disk/'))).toEqual([]);
  }
});
