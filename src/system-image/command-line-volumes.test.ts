import { expect, test } from 'vitest';
import { volumesOfCommandLine } from './command-line-volumes.ts';

const uuid = '3f1c2a4e-1111-4222-8333-444455556666';

test.each([
  [`cryptdevice=UUID=${uuid}:cryptroot root=/dev/mapper/cryptroot rw`, 'cryptroot'],
  [`cryptdevice=UUID=${uuid}:cryptroot:allow-discards root=/dev/mapper/cryptroot`, 'cryptroot'],
  [`rd.luks.name=${uuid}=cryptroot root=/dev/mapper/cryptroot rw`, 'cryptroot'],
  [`cryptroot=UUID=${uuid} cryptdm=root root=/dev/mapper/root quiet`, 'root'],
  [`crypt_root=UUID=${uuid} root=/dev/mapper/root`, 'root'],
  [`rd.luks.uuid=luks-${uuid} root=/dev/mapper/luks-${uuid} rhgb`, `luks-${uuid}`],
])('%s', (options, name) => {
  expect(volumesOfCommandLine(options)).toMatchObject([
    { name, source: `UUID=${uuid}`, kind: 'luks', line: 0, keyFile: null },
  ]);
});

test('nothing is named by other words, nor by half of one', () => {
  const lines = [
    'root=/dev/mapper/cryptroot ro',
    `cryptdevice=UUID=${uuid}`,
    'cryptroot=/dev/sda2',
  ];
  for (const line of lines) expect(volumesOfCommandLine(line)).toEqual([]);
});
