import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineSplitter } from '../host/lines.ts';
import { btrfsOutput, btrfsProgress } from './btrfs-check.ts';
import { parseBtrfsSuperblock } from './btrfs-superblock.ts';
import type { CheckerOutput } from './checker.ts';
import { e2fsckOutput, e2fsckProgress, isReplayResidue, onlyTotals, usedBackup } from './e2fsck.ts';
import { parseSuperblock } from './ext-superblock.ts';
import { vfatOutput } from './vfat.ts';
import { xfsOutput, xfsProgress } from './xfs-repair-tool.ts';
import { parseGeometry, parseLogState } from './xfs-state.ts';

const recorded = (name: string): string =>
  readFileSync(new URL(`../../fixtures/recorded/fsck/${name}.txt`, import.meta.url), 'utf8');

const linesOf = (text: string): readonly string[] => {
  const lines: string[] = [];
  const splitter = lineSplitter((line) => lines.push(line));
  splitter.push(text);
  splitter.end();
  return lines;
};

const findings = (output: CheckerOutput, name: string): readonly string[] =>
  linesOf(recorded(name)).filter(
    (line) => output.progress(line) === null && output.isFinding(line),
  );

describe('e2fsck', () => {
  it('has no findings on a clean file system', () => {
    expect(findings(e2fsckOutput, 'e2fsck-clean')).toEqual([]);
  });

  it('has a wrong total as its only finding, though it exits 0', () => {
    const found = findings(e2fsckOutput, 'e2fsck-wrong-totals');
    expect(found).toEqual(['Free inodes count wrong (5, counted=16173).']);
    expect(onlyTotals(found)).toBe(true);
  });

  it('has the lines about a lost inode as findings, not its prompts', () => {
    expect(findings(e2fsckOutput, 'e2fsck-lost-inode')).toEqual([
      "Entry 'f5' in / (2) has deleted/unused inode 1211.  Clear? no",
      "Entry 'f5' in / (2) has an incorrect filetype (was 1, should be 0).",
      'Block bitmap differences:  -9844',
      'Inode bitmap differences:  -1211',
    ]);
  });

  it.each(['e2fsck-replay', 'e2fsck-replay-orphan'])(
    'leaves nothing but the residue of a replay in %s',
    (name) => {
      const found = findings(e2fsckOutput, name);
      expect(found).not.toEqual([]);
      expect(found.filter((line) => !isReplayResidue(line))).toEqual([]);
    },
  );

  it('does not take a wrong count of one group for a residue of the replay', () => {
    expect(isReplayResidue('Free blocks count wrong for group #0 (3808, counted=3805).')).toBe(
      false,
    );
  });

  it('is seen to use a backup when the group descriptors are bad', () => {
    expect(usedBackup(findings(e2fsckOutput, 'e2fsck-group-descriptors'))).toBe(true);
  });

  it('reports fractions that never fall and end at 1', () => {
    const fractions = linesOf(recorded('e2fsck-progress')).map(
      (line) => e2fsckProgress(line)?.fraction ?? Number.NaN,
    );
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  });

  it('reports progress of a file system that it calls by its label', () => {
    expect(e2fsckProgress('2 1 2 cloudimg-rootfs')).toEqual({
      message: 'pass 2 of 5',
      fraction: 0.8,
    });
  });

  it('reports a fraction between 0 and 1 whatever the numbers are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(), fc.nat(), (pass, current, maximum) => {
        const fraction = e2fsckProgress(`${pass} ${current} ${maximum} /dev/vdb1`)?.fraction;
        expect(fraction).toBeGreaterThanOrEqual(0);
        expect(fraction).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('dumpe2fs', () => {
  it('tells that the journal waits', () => {
    expect(parseSuperblock(recorded('dumpe2fs-needs-recovery'))).toMatchObject({
      needsRecovery: true,
      externalJournal: false,
      state: 'clean',
    });
  });

  it('tells that an ext2 has no journal', () => {
    expect(parseSuperblock(recorded('dumpe2fs-ext2'))).toMatchObject({
      needsRecovery: false,
      externalJournal: false,
    });
  });

  it('tells a journal on another device', () => {
    const text = recorded('dumpe2fs-needs-recovery').replace(
      /^Journal inode: .*$/m,
      'Journal UUID:             4b5d1a2e-8f53-44a5-9d6b-6f7f3a2a1c11',
    );
    expect(parseSuperblock(text)).toMatchObject({ externalJournal: true });
  });

  it('tells that the journal waits whatever unit its size is printed in', () => {
    const text = recorded('dumpe2fs-needs-recovery');
    const large = parseSuperblock(text.replace('4096k', '32M'));
    const small = parseSuperblock(text);
    expect(large?.needsRecovery).toBe(true);
    expect((large?.metadataBytes ?? 0) - (small?.metadataBytes ?? 0)).toBe(28 * 1024 * 1024);
  });

  it('is no superblock when a field is missing', () => {
    expect(parseSuperblock('')).toBeNull();
    expect(parseSuperblock('Filesystem state:  clean\n')).toBeNull();
  });
});

describe('XFS tools', () => {
  it('tell a clean log from a dirty one', () => {
    const states = (name: string) => linesOf(recorded(name)).map(parseLogState).filter(Boolean);
    expect(states('xfs-logprint-clean')).toEqual(['clean']);
    expect(states('xfs-logprint-dirty')).toEqual(['dirty']);
  });

  it('give the geometry, and null for what is no superblock', () => {
    expect(parseGeometry(recorded('xfs-db-geometry'))).toMatchObject({
      agcount: 4,
      blocksize: 4096,
      logblocks: 16384,
    });
    expect(parseGeometry('xfs_db: x is not a valid XFS filesystem\n')).toBeNull();
  });

  it('have only the wrong count as a finding', () => {
    expect(findings(xfsOutput(4), 'xfs-repair-wrong-count')).toEqual([
      'sb_fdblocks 5, counted 59438',
    ]);
  });

  it('report phases and allocation groups as growing fractions', () => {
    const progress = xfsProgress(4);
    const fractions = linesOf(recorded('xfs-repair-wrong-count')).flatMap(
      (line) => progress(line)?.fraction ?? [],
    );
    expect(fractions.length).toBeGreaterThan(10);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });
});

describe('btrfs', () => {
  it('has no findings on a clean file system', () => {
    expect(findings(btrfsOutput, 'btrfs-check-clean')).toEqual([]);
  });

  it('names a missing device', () => {
    expect(findings(btrfsOutput, 'btrfs-check-missing-device')).toEqual([
      'warning, device 2 is missing',
    ]);
  });

  it('tells that a log tree waits', () => {
    const text = recorded('btrfs-dump-super-log-tree');
    expect(parseBtrfsSuperblock(text)).toMatchObject({ needsReplay: true, deviceCount: 1 });
    const replayed = text.replace(/^log_root\t+\d+$/m, 'log_root\t\t0');
    expect(parseBtrfsSuperblock(replayed)).toMatchObject({ needsReplay: false, deviceCount: 1 });
    expect(parseBtrfsSuperblock('ERROR: bad magic')).toBeNull();
  });

  it('reports its steps', () => {
    expect(btrfsProgress('[3/7] checking free space tree   (0:00:00 elapsed)')).toEqual({
      message: 'step 3 of 7: checking free space tree',
      fraction: 2 / 7,
    });
  });
});

describe('fsck.fat', () => {
  it('finds the dirty bit and the second boot sector that differs by it', () => {
    const found = findings(vfatOutput, 'fsck-fat-dirty-fat32');
    expect(found).toContain('  65:01/00');
    expect(found.some((line) => line.startsWith('Dirty bit is set'))).toBe(true);
  });
});
