import { expect, test } from 'vitest';
import { fakeHost, recorded } from '../../fixtures/fake-host.ts';
import { parseLsblk, readLsblk } from './lsblk.ts';

test('asks for exactly the columns that it parses', async () => {
  const host = fakeHost(() => ({ stdout: recorded('lsblk/virtio.json') }));
  await readLsblk(host);
  const [command] = host.commands;
  const columns = command?.args.at(-1)?.toLowerCase().split(',') ?? [];
  const [first] = parseLsblk(recorded('lsblk/virtio.json'));
  expect(columns.sort()).toEqual(Object.keys(first ?? {}).sort());
  expect(command?.changes).toBe(false);
});

test('asks only for columns that util-linux 2.34 has', async () => {
  const host = fakeHost(() => ({ stdout: '' }));
  await readLsblk(host);
  const columns = host.commands[0]?.args.at(-1)?.split(',') ?? [];
  for (const newer of ['PARTN', 'START', 'MOUNTPOINTS', 'FSROOTS', 'ID-LINK']) {
    expect(columns).not.toContain(newer);
  }
});

test('takes the blanks from model names and makes empty values null', () => {
  const [disk] = parseLsblk(recorded('lsblk/nvme-ebs.json'));
  expect(disk?.model).toBe('Amazon Elastic Block Store');
  expect(disk?.vendor).toBeNull();
});

test('reads the invalid escapes that old versions write for control characters', () => {
  const disks = parseLsblk(recorded('lsblk/xen-2.34.json'));
  expect(disks[1]?.children?.[0]?.label).toBe('\u001broot');
});

test('leaves a backslash of a label itself alone', () => {
  const json = recorded('lsblk/xen-2.34.json').replace('\\x1broot', '\\\\x41');
  expect(parseLsblk(json)[1]?.children?.[0]?.label).toBe('\\x41');
});

test('reads numbers and booleans that are written as strings', () => {
  const json = recorded('lsblk/xen-2.34.json')
    .replaceAll(/"size":(\d+)/g, '"size":"$1"')
    .replaceAll('"ro":false', '"ro":"0"');
  expect(parseLsblk(json)).toEqual(parseLsblk(recorded('lsblk/xen-2.34.json')));
});

test('a machine without block devices has none', () => {
  expect(parseLsblk('')).toEqual([]);
});
