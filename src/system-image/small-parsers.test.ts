import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeTree } from '../../fixtures/make-tree.ts';
import { subjectOf } from '../../fixtures/subject.ts';
import { isLocked, parseGroups, parsePasswd, parseShadow } from './accounts.ts';
import { expandGlob, fitsGlob } from './glob.ts';
import { parseIni } from './ini-file.ts';
import { nearestWord } from './nearest-word.ts';
import { parsePam } from './pam.ts';
import { parseSudoers, sudoersFault } from './sudoers.ts';
import { isYamlMapping, yamlFault, yamlKeys, yamlLeaves } from './yaml-file.ts';

const anyText = fc.string({ unit: 'binary-ascii', maxLength: 300 });

test('accounts, their ageing and groups are read by field, and broken lines left out', () => {
  expect(parsePasswd('root:x:0:0:root:/root:/bin/bash\nbroken\n:x:1:1:::\n# c:x:1:1:::')).toEqual([
    { line: 1, name: 'root', uid: 0, gid: 0, home: '/root', shell: '/bin/bash' },
  ]);
  expect(parseShadow('a:!:19000:0:99999:7:30:20000:\n')[0]).toMatchObject({
    lastChange: 19000,
    maxDays: 99999,
    inactiveDays: 30,
    expires: 20000,
  });
  expect(parseGroups('sudo:x:27:ann,bob\n')).toEqual([
    { name: 'sudo', gid: 27, members: ['ann', 'bob'] },
  ]);
  expect([isLocked('!'), isLocked('*'), isLocked('!$6$x'), isLocked('$6$x'), isLocked('')]).toEqual(
    [true, true, true, false, false],
  );
});

test('a mistyped word is known when it can be only one', () => {
  const words = ['static', 'dhcp', 'manual'];
  expect(
    ['dchp', 'dhpc', 'dhc', 'statics', 'Dhcp', 'boot', 'dhcp'].map((w) => nearestWord(w, words)),
  ).toEqual(['dhcp', 'dhcp', 'dhcp', 'static', null, null, null]);
  expect(nearestWord('at', ['cat', 'bat'])).toBeNull();
});

test('patterns match names as glob(7) does', () => {
  expect(['a.conf', '.a.conf', 'a.conf.bak'].map((name) => fitsGlob(name, '*.conf'))).toEqual([
    true,
    false,
    false,
  ]);
  expect(fitsGlob('a[', 'a[')).toBe(true);
  expect(fitsGlob('ab', 'a[bc]')).toBe(true);
});

test('a pattern costs little, whatever it is, and says the same as an expression', () => {
  const signs = fc.string({
    unit: fc.constantFrom('a', 'b', '*', '?', '[ab]', '[!a]'),
    maxLength: 9,
  });
  const names = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 9 });
  fc.assert(
    fc.property(names, signs, (name, glob) => {
      const body = glob.replaceAll('*', '.*').replaceAll('?', '.').replaceAll('[!', '[^');
      expect(fitsGlob(name, glob)).toBe(new RegExp(`^${body}$`).test(name));
    }),
  );
  expect(fitsGlob(`en${'a'.repeat(200)}`, `en*${'a*'.repeat(60)}b`)).toBe(false);
  expect(['a-z', 'm', ']', '['].map((name) => fitsGlob(name, '[]a-z]'))).toEqual([
    ...[false, true, true, false],
  ]);
  expect(fitsGlob('[x', '[*')).toBe(true);
});

test('the lines of values are known, also in the second of two documents and of very many', () => {
  const leaves = yamlLeaves('a: 1\r\nb:\r\n  - c\r\n  -\r\n---\nd: "x\n y"\n');
  expect(leaves.map(({ path, line }) => [path.join('.'), line])).toEqual([
    ...[['a', 1] as const, ['b.0', 3] as const, ['b.1', 4] as const, ['d', 6] as const],
  ]);
  expect(yamlLeaves('- a\n'.repeat(40_000)).at(-1)?.line).toBe(40_000);
});

test('a pattern is followed through directories, and a plain path is given back', async () => {
  await using tree = await makeTree({ 'etc/a/x.conf': '', 'etc/b/x.conf': '', 'etc/b/y': '' });
  const { files } = await subjectOf(tree.root);
  expect(await expandGlob(files, '/etc/*/x.conf')).toEqual(['/etc/a/x.conf', '/etc/b/x.conf']);
  expect(await expandGlob(files, '/etc/gone')).toEqual(['/etc/gone']);
});

test('sections and their faults are told with their lines', () => {
  const { sections, faults } = parseIni(
    'x=1\n[Match]\nName=en*\n; c\n[Net\nfoo\nA=b \\\n c\n',
    true,
  );
  expect(sections.map(({ name, entries }) => [name, entries.length])).toEqual([
    ['Match', 1],
    ['', 1],
  ]);
  expect(faults.map(({ line, reason }) => [line, reason])).toEqual([
    [1, 'it stands before any section'],
    [5, 'the section name has no closing bracket'],
    [6, 'there is no "="'],
  ]);
});

test('PAM: controls in brackets, includes, joined and unreadable lines', () => {
  const lines = parsePam(
    '/etc/pam.d/x',
    'auth [success=1 default=ignore] pam_unix.so nullok\n@include common-auth\n-session optional \\\n pam_x.so\naccount include y\nauth\n',
  );
  expect(lines.map(({ kind, line }) => [kind, line])).toEqual([
    ['module', 1],
    ['include', 2],
    ['module', 3],
    ['include', 5],
    ['unreadable', 6],
  ]);
  expect(lines[0]).toMatchObject({ control: '[success=1 default=ignore]', module: 'pam_unix.so' });
});

test('sudoers: only what cannot be right is a fault', () => {
  const faults = (text: string) => parseSudoers(text).map(sudoersFault);
  expect(
    faults(
      [
        '# comment = none',
        'Defaults env_reset',
        'root ALL=(ALL:ALL) ALL',
        '%sudo ALL=(ALL) NOPASSWD: \\\n  ALL',
        '@includedir /etc/sudoers.d',
        '#include /etc/more',
        '#1000 ALL=(ALL) ALL',
        'User_Alias ADMINS = ann, bob',
      ].join('\n'),
    ),
  ).toEqual(Array(8).fill(null));
  expect(
    faults('hello\nann ALL=(ALL)\nHost_Alias X\nDefaults x="y\n').every((f) => f !== null),
  ).toBe(true);
});

test('YAML as its old readers take it', () => {
  expect(yamlFault('network:\n  version: 2\n  a: [\n    1\n]\n  a: 2\n')).toBeNull();
  expect(yamlFault('network:\n\tversion: 2\n')?.line).toBe(2);
  expect(yamlFault('a: "b\n')).not.toBeNull();
  expect(yamlFault('a: [1, 2\nb: c\n')).not.toBeNull();
  expect(isYamlMapping('')).toBe(true);
  expect(isYamlMapping('- a\n')).toBe(false);
  expect(yamlKeys('network: {}\nx: 1\n')).toEqual(['network', 'x']);
});

test('any text is parsed by each of them', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      parseIni(text, true);
      parsePam('x', text);
      parseSudoers(text).map(sudoersFault);
      parsePasswd(text);
      parseShadow(text);
      yamlFault(text);
      expect(nearestWord(text, ['static'])).not.toBe(text);
    }),
    { numRuns: 60 },
  );
});
