import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mapperLinks } from '../../devices/mapper-links.ts';
import { isOfGroup, mapperName, mapperUuid, sessionGroupName, volumeNames } from './names.ts';

const lvmName = fc.stringMatching(/^[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,20}$/);
const uuid = 'O7e5Fw-4trl-B64F-xNrK-VX0j-AWbJ-Mwl8Y8';

test('dashes of the names are doubled', () => {
  expect(mapperName('web-data', 'root--fs')).toBe('web--data-root----fs');
  expect(mapperUuid(uuid, uuid)).toBe(
    'LVM-O7e5Fw4trlB64FxNrKVX0jAWbJMwl8Y8O7e5Fw4trlB64FxNrKVX0jAWbJMwl8Y8',
  );
});

test('a mapping belongs to one group alone, whatever dashes the names have', () => {
  fc.assert(
    fc.property(lvmName, lvmName, lvmName, (group, volume, other) => {
      const mapping = mapperName(group, volume);
      expect(isOfGroup(mapping, group)).toBe(true);
      if (other !== group) expect(isOfGroup(mapping, other)).toBe(false);
    }),
  );
});

test('the names of a volume that fstab may use are those that the device tree finds', () => {
  fc.assert(
    fc.property(lvmName, lvmName, (group, volume) => {
      const names = volumeNames({ name: group, uuid }, { name: volume, uuid });
      const mapper = { name: mapperName(group, volume), uuid: mapperUuid(uuid, uuid) };
      expect([...names].sort()).toEqual(
        [`/dev/mapper/${mapper.name}`, ...mapperLinks(mapper)].sort(),
      );
    }),
  );
});

test("a session's name is free, and short enough for all volumes", () => {
  const taken = new Set(['vg0_rescuekit_7f3a']);
  const isTaken = (name: string) => taken.has(name);
  expect(sessionGroupName('vg0', ['root'], '7f3a', isTaken)).toBe('vg0_rescuekit_7f3a_2');
  const long = 'g'.repeat(100);
  expect(sessionGroupName(long, ['root'], '7f3a', isTaken)).toBe('rescuekit_7f3a');
});
