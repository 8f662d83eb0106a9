import { expect, it } from 'vitest';
import { mountUnitName } from './unit-name.ts';

it.each([
  ['/', '-.mount'],
  ['/srv', 'srv.mount'],
  ['/srv/a-b', 'srv-a\\x2db.mount'],
  ['/srv//data/', 'srv-data.mount'],
  ['/mnt/.hidden/x.y', 'mnt-.hidden-x.y.mount'],
  ['/.top', '\\x2etop.mount'],
  ['/mnt/zwei Worte/ü', 'mnt-zwei\\x20Worte-\\xc3\\xbc.mount'],
])('calls the unit of %s %s, as systemd-escape does', (path, name) => {
  expect(mountUnitName(path)).toBe(name);
});
