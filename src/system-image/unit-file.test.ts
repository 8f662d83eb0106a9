import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lastValue, listValues, parseUnitFile } from './unit-file.ts';

const text = `# comment
[Unit]
After=a.target \\
; a comment in between
 b.target
Wants=x.service
Wants=
Wants=y.service

[Service]
ExecStart=/bin/true
`;

test('lines that go on are one assignment, and comments between them are passed over', () => {
  const { entries, problems } = parseUnitFile(text);
  expect(problems).toEqual([]);
  expect(entries[0]).toEqual({
    line: 3,
    section: 'Unit',
    key: 'After',
    value: 'a.target   b.target',
  });
  expect(listValues(entries, 'Unit', 'After')).toEqual(['a.target', 'b.target']);
});

test('an empty assignment takes back those before it', () => {
  const { entries } = parseUnitFile(text);
  expect(listValues(entries, 'Unit', 'Wants')).toEqual(['y.service']);
  expect(lastValue(entries, 'Service', 'ExecStart')).toBe('/bin/true');
});

test('systemd refuses a broken section line and passes over other faults', () => {
  const { problems } = parseUnitFile('Stray=1\n[Unit\n[Service]\nNonsense\n[Servce]\n[X-Own]\n');
  expect(problems.map(({ line, fatal, reason }) => ({ line, fatal, reason }))).toEqual([
    { line: 1, fatal: false, reason: 'stands before the first section' },
    { line: 2, fatal: true, reason: 'is no section header' },
    { line: 4, fatal: false, reason: 'has no "="' },
    { line: 5, fatal: false, reason: 'names the section Servce, which does not exist' },
  ]);
});

test('no text makes the parser fail, and each entry is in a section', () => {
  const line = fc.constantFrom('[Unit]', 'A=b', 'A=', '\\', '# x', '=', '[', 'x \\', '');
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 30 }), (lines) => {
      const { entries } = parseUnitFile(lines.join('\n'));
      expect(entries.every(({ section, key }) => section !== '' && key !== '')).toBe(true);
    }),
  );
});
