import { expect, test } from 'vitest';
import { makeTree } from '../../fixtures/make-tree.ts';
import { subjectOf } from '../../fixtures/subject.ts';
import { readInterfaces } from './ifupdown.ts';

const read = async (text: string, more: Record<string, string> = {}) => {
  await using tree = await makeTree({ 'etc/network/interfaces': text, ...more });
  return await readInterfaces((await subjectOf(tree.root)).files);
};

// What `ifquery --list` of ifupdown 0.8.41 accepts, without a word.
const healthy = [
  'auto lo\niface lo inet loopback\n\nallow-hotplug eth0\niface eth0 inet dhcp\n',
  'iface eth0 inet static\n    address 10.0.0.5/24\n    up ip route add \\\n      10.1.0.0/16 via 10.0.0.1\n',
  'iface eth0 inherits template\nmapping eth*\n  script /x\n  map HOME home\n',
  '# comment\n  # another\nsource /etc/gone/*\nsource-directory /etc/gone\n',
  'iface eth0 inet6 auto\nno-auto-down eth0\nrename a=b\n',
];

test.each(healthy)('what ifupdown reads has no fault: %j', async (text) => {
  expect((await read(text)).faults).toEqual([]);
});

const broken: readonly (readonly [string, number])[] = [
  ['iface eth0 inet dchp\n', 1],
  ['iface eth0 inett dhcp\n', 1],
  ['iface eth0\n', 1],
  ['# x\nadress 1.2.3.4\n', 2],
  ['iface eth0 inet static\n  address\n', 2],
  ['Iface eth0 inet dhcp\n', 1],
];

test.each(broken)('what ifupdown refuses is a fault at its line: %j', async (text, line) => {
  expect((await read(text)).faults.map((fault) => fault.line)).toEqual([line]);
});

test('sourced files are read, each once, and a loop ends', async () => {
  const { defined, wanted, paths } = await read(
    'source interfaces.d/*\nauto eth1\niface eth1 inet dhcp\n',
    {
      'etc/network/interfaces.d/vlan':
        'auto eth1.5\niface eth1.5 inet manual\nsource ../interfaces\n',
    },
  );
  expect(defined.map(({ name }) => name)).toEqual(['eth1.5', 'eth1']);
  expect(wanted.map(({ name }) => name)).toEqual(['eth1.5', 'eth1']);
  expect(paths).toEqual(['/etc/network/interfaces', '/etc/network/interfaces.d/vlan']);
});
