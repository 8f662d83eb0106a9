import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeTree } from '../../fixtures/make-tree.ts';
import { subjectOf } from '../../fixtures/subject.ts';
import { parseSshdConfig, readSshdConfig, sshdValue, sshdValues } from './sshd-config.ts';

const parse = (text: string) => parseSshdConfig('/etc/ssh/sshd_config', text);

test('keywords are compared without case, and set off by blanks or one equals sign', () => {
  expect(
    parse('Port 22\n  permitRootLogin=no # why\n"UsePAM" yes\r\n# x\n').map(
      ({ keyword, words, line }) => [line, keyword, ...words],
    ),
  ).toEqual([
    [1, 'port', '22'],
    [2, 'permitrootlogin', 'no'],
    [3, 'usepam', 'yes'],
  ]);
});

test('quotes hold blanks together, and an open one is marked', () => {
  expect(parse('Banner "/etc/my banner" x')[0]).toMatchObject({
    words: ['/etc/my banner', 'x'],
    openQuote: false,
  });
  expect(parse('Banner "/etc/my banner')[0]?.openQuote).toBe(true);
});

test('what follows Match is for some connections only, until Match all', () => {
  const lines = parse('UsePAM yes\nMatch User git\nX11Forwarding no\nMatch all\nPrintMotd no');
  expect(lines.map(({ inMatch }) => inMatch)).toEqual([false, true, true, false, false]);
});

test('included files are read where they are named, sorted, and a loop ends', async () => {
  await using tree = await makeTree({
    'etc/ssh/sshd_config': 'Include sshd_config.d/*.conf\nPort 22\nHostKey /a\n',
    'etc/ssh/sshd_config.d/20-b.conf': 'Port 2222\nInclude /etc/ssh/sshd_config\n',
    'etc/ssh/sshd_config.d/10-a.conf': 'HostKey /b\n',
    'etc/ssh/sshd_config.d/.hidden.conf': 'Port 1\n',
  });
  const { files } = await subjectOf(tree.root);
  const directives = await readSshdConfig(files);
  expect(sshdValue(directives, 'port')).toEqual(['2222']);
  expect(sshdValues(directives, 'hostkey').slice(0, 2)).toEqual(['/b', '/b']);
});

test('any text is parsed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 300 }), (text) => {
      const all = parse(text);
      expect(all.every(({ line, keyword }) => line > 0 && keyword !== '')).toBe(true);
    }),
  );
});
