import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeTree } from '../../fixtures/make-tree.ts';
import { hostFiles } from '../host/files.ts';
import { osFromRelease, parseOsRelease, readOs } from './os-release.ts';

test('a real Debian os-release gives name, id and version', async () => {
  const text = await readFile('fixtures/recorded/os-release/debian-12', 'utf8');
  expect(osFromRelease(text)).toEqual({
    id: 'debian',
    versionId: '12',
    prettyName: 'Debian GNU/Linux 12 (bookworm)',
  });
});

test.each([
  [
    'NAME="Ubuntu"\nVERSION="24.04.1 LTS (Noble Numbat)"\nID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"',
    'ubuntu',
    '24.04',
    'Ubuntu 24.04.1 LTS',
  ],
  [
    'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nPRETTY_NAME="Fedora Linux 40 (Server Edition)"',
    'fedora',
    '40',
    'Fedora Linux 40 (Server Edition)',
  ],
  [
    'NAME="openSUSE Leap"\nID="opensuse-leap"\nVERSION_ID="15.6"\nPRETTY_NAME="openSUSE Leap 15.6"',
    'opensuse-leap',
    '15.6',
    'openSUSE Leap 15.6',
  ],
  [
    'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.19.0\nPRETTY_NAME="Alpine Linux v3.19"',
    'alpine',
    '3.19.0',
    'Alpine Linux v3.19',
  ],
  [
    'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling',
    'arch',
    null,
    'Arch Linux',
  ],
  ['NAME=NixOS\nID=nixos\nVERSION_ID="23.05"', 'nixos', '23.05', 'NixOS 23.05'],
])('os-release in the form of other distributions: %#', (text, id, versionId, prettyName) => {
  expect(osFromRelease(text)).toEqual({ id, versionId, prettyName });
});

test('quotes and escapes are taken as shell would, and nothing is run', () => {
  const values = parseOsRelease(
    'A="a \\"b\\" \\$HOME \\\\ \\n"\nB=\'$(reboot) "x"\'\r\nC=plain # text\n#D=no\nE=\nF=a\\ b\nG="x" # note',
  );
  expect(values.get('A')).toBe('a "b" $HOME \\ \\n');
  expect(values.get('B')).toBe('$(reboot) "x"');
  expect(values.has('D')).toBe(false);
  expect(values.get('E')).toBe('');
  expect(values.get('F')).toBe('a b');
  expect(values.get('G')).toBe('x');
});

test('a name never carries control characters to the terminal', () => {
  expect(osFromRelease('PRETTY_NAME="\u001b[2JEvil\u0007\u202e OS"').prettyName).toBe('Evil OS');
});

test('any text at all gives a name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(osFromRelease(`NAME=${text}`).prettyName).not.toBe('');
    }),
  );
});

test('an os-release that is missing in /etc is read from /usr/lib', async () => {
  await using tree = await makeTree({ 'usr/lib/os-release': 'ID=debian\nPRETTY_NAME=Debian' });
  expect((await readOs(hostFiles, tree.root)).id).toBe('debian');
});

test.each([
  ['etc/debian_version', '6.0.10\n', 'debian', '6.0.10', 'Debian GNU/Linux 6.0.10'],
  [
    'etc/redhat-release',
    'CentOS release 6.10 (Final)\n',
    'centos',
    '6.10',
    'CentOS release 6.10 (Final)',
  ],
  ['etc/alpine-release', '3.2.3\n', 'alpine', '3.2.3', 'Alpine Linux 3.2.3'],
])('an old system is named by %s', async (path, text, id, versionId, prettyName) => {
  await using tree = await makeTree({ [path]: text });
  expect(await readOs(hostFiles, tree.root)).toEqual({ id, versionId, prettyName });
});

test('a system without any of these files still has a name', async () => {
  await using tree = await makeTree({ 'etc/os-release': '' });
  expect((await readOs(hostFiles, tree.root)).prettyName).toBe('Linux (unknown distribution)');
});
