import { expect, it } from 'vitest';
import type { FileChange, RehearsalReport } from '../rehearsal/report.ts';
import { renderRehearsal } from './rehearsal-report.ts';

const change = (path: string, more: Partial<FileChange> = {}): FileChange => ({
  ...{ path, change: 'added', kind: 'file', bytesBefore: null, bytesAfter: 6, diff: null },
  ...more,
});

const report = (files: readonly FileChange[]): RehearsalReport => ({
  disks: [
    {
      disk: '/dev/vdb',
      blockBytes: 4096,
      changedBlocks: 3,
      changedBytes: 12_288,
      writtenBlocks: 9,
    },
  ],
  ...{ files, fileCount: files.length, filesNote: null, proof: null, succeeded: true },
  ...{ proven: false, notProven: 'no proof was asked for' },
});

const view = { columns: 80, colour: false, unicode: true };

const linesOf = (files: readonly FileChange[]): readonly string[] =>
  renderRehearsal(report(files), view).split('\n');

it('shows the blocks of each disk and the files as a tree, each directory once', () => {
  const diff = '--- /etc/hostname\n+++ /etc/hostname\n@@ -1,1 +1,1 @@\n-web-3\n+web-4\n';
  const lines = linesOf([
    change('/etc/hostname', { change: 'changed', bytesBefore: 6, diff }),
    change('/etc/new', { kind: 'directory', bytesAfter: null }),
    change('/etc/new/file'),
    change('/etc/old', { change: 'removed', bytesBefore: 3, bytesAfter: null }),
    change('/srv', { change: 'attributes', kind: 'directory', bytesAfter: null }),
  ]);
  expect(lines).toContain('  /dev/vdb: 12 KiB would be written (3 blocks of 4 KiB)');
  expect(lines.slice(3)).toEqual([
    '  5 entries are different:',
    '    etc/',
    '      ~ hostname',
    '          @@ -1,1 +1,1 @@',
    '          -web-3',
    '          +web-4',
    '      + new/',
    '        + file  6 B',
    '      - old',
    '    · srv/  owner, mode, times or attributes',
    '  No boot of it was watched.',
    '  Not proven: no proof was asked for.',
    '',
  ]);
});

it('counts what is too much to be read', () => {
  const many = Array.from({ length: 100 }, (_, index) => change(`/var/file-${index}`));
  expect(linesOf(many)).toContain('    and 40 more');
});

it('says why files are not compared', () => {
  const text = renderRehearsal({ ...report([]), files: null, filesNote: 'It was damaged.' }, view);
  expect(text).toContain('  It was damaged.');
});
