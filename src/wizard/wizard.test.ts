import { describe, expect, it } from 'vitest';
import { makeDevice } from '../../fixtures/device.ts';
import type { Device } from '../devices/device.ts';
import { checkResult } from '../filesystems/check-result.ts';
import type { CheckResult } from '../filesystems/file-system.ts';
import type { Terminal } from '../output/terminal.ts';
import type { Target } from '../rescue/target.ts';
import { answerOf, type KeyQuestion, questionLines } from './ask.ts';
import { damagedOnes, renderResults, withoutOptions } from './check-lines.ts';
import { diskChoices } from './choose-disk.ts';
import { doneSentences, freeSentence, renderEnding, renderStopped } from './ending.ts';
import { numberedLines } from './plain-ask.ts';
import { asciiOnly, commandLines, evidenceLines, renderExplanation, renderStep } from './screen.ts';
import { merged } from './step-check.ts';
import { goOn, type WalkRecord } from './walk.ts';
import { bootWords, checkWords, lastResortWords, mountWords, repairWords } from './words.ts';

const view: Terminal = { columns: 80, rows: 24, colour: false, unicode: true, isTerminal: true };
const disk = makeDevice('/dev/vdb', {
  majorMinor: '254:16',
  sizeBytes: 8 * 2 ** 30,
  transport: 'virtio',
  volumeId: 'vol-0abc',
  partitionTable: 'gpt',
});
const own: Device = {
  ...disk,
  path: '/dev/vda',
  name: 'vda',
  protected: { reason: 'mounted at /' },
};
const target: Target = { kind: 'device', path: '/dev/vdb', name: '/dev/vdb', lockKey: 'x' };
const nothing: WalkRecord = {
  system: null,
  checks: [],
  mounted: null,
  boot: null,
  mended: 0,
  otherDisk: false,
  rehearse: false,
};

const result = (
  outcome: CheckResult['outcome'],
  parts: Partial<CheckResult> = {},
): CheckResult => ({
  ...checkResult({ device: '/dev/vdb1', fsType: 'xfs' }, outcome, 'Something was found.'),
  ...parts,
});

describe('a step on the screen', () => {
  const screen = {
    title: 'check the file systems of web-3 (reads only)',
    commands: [['e2fsck', '-f', '-n', '/dev/vdb1']],
    why: checkWords.why,
    risk: checkWords.risk,
  };

  it('says what runs, why, and what it risks', () => {
    const text = renderStep(screen, view);
    expect(text).toContain('  Next: check the file systems of web-3');
    expect(text).toContain('    e2fsck -f -n /dev/vdb1\n    Why:  mounting a damaged');
    expect(text).toContain('    Risk: none.');
  });

  it('is never wider than the screen and leaves room for its question', () => {
    const commands = Array.from({ length: 30 }, (_, index) => ['mount', `/dev/vdb${index}`, '/x']);
    for (const words of [checkWords, repairWords, lastResortWords('btrfsRepair')]) {
      const lines = renderStep({ ...screen, ...words, commands }, view).split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
      expect(lines.length).toBeLessThan(23);
      expect(lines.join('\n')).toContain('and 22 more lines: (e) shows them');
    }
  });

  it('shows all its commands when it is explained', () => {
    const commands = Array.from({ length: 30 }, (_, index) => ['mount', `/dev/vdb${index}`]);
    const text = renderExplanation(['Because.'], { ...screen, commands }, view);
    expect(text).toContain('    mount /dev/vdb29\n');
    expect(renderExplanation(['Because.'], screen, view)).not.toContain('e2fsck');
  });

  it('breaks a long command so that it can still be pasted into a shell', () => {
    const words = ['mount', '--options', 'rw,nodev', '/dev/vdb1', `/run/${'a'.repeat(40)}`, 'b c'];
    const lines = commandLines(words, 60);
    expect(lines.length).toBeGreaterThan(1);
    expect(
      lines
        .join('\n')
        .replaceAll(/ \\\n */g, ' ')
        .trim(),
    ).toBe(`mount --options rw,nodev /dev/vdb1 /run/${'a'.repeat(40)} 'b c'`);
  });

  it('has no control characters from the disk, and only ASCII where the locale asks for it', () => {
    const evil = { ...screen, commands: [['mount', '/x\u001b[2J/y']] };
    expect(renderStep(evil, view)).not.toContain('\u001b');
    expect(evidenceLines(['a\u001b[2Jb'], view, 4)).toEqual(['      ab']);
    expect(asciiOnly('Größe… \u001b[1mfett\u001b[22m\n')).toBe(
      'Gr??e... \u001b[1mfett\u001b[22m\n',
    );
  });
});

describe('a question', () => {
  it('fits on one line of 80 columns and shows what Enter means as a capital', () => {
    expect(questionLines(goOn, 75)).toEqual([
      'Go on?  (Y) yes  (s) skip  (e) explain  (q) take everything down and leave',
    ]);
    expect(questionLines(goOn, 40).every((line) => line.length <= 40)).toBe(true);
  });

  it('takes its keys in either case, Enter as the safe answer, and nothing else', () => {
    const question: KeyQuestion<'yes' | 'no'> = {
      message: 'Repair?',
      keys: [
        { key: 'y', value: 'yes', word: 'yes' },
        { key: 'n', value: 'no', word: 'no' },
      ],
      safe: 'no',
    };
    expect(answerOf(question, 'Y')?.value).toBe('yes');
    expect(answerOf(question, '\r')?.value).toBe('no');
    expect(answerOf(question, 'x')).toBeUndefined();
    expect(answerOf(question, '')).toBeUndefined();
  });

  it('numbers only what can be chosen on a terminal without a cursor', () => {
    expect(
      numberedLines(
        [
          { name: '/dev/vda', value: 1, disabled: 'protected: mounted at /' },
          { name: '/dev/vdb', value: 2, disabled: null },
        ],
        31,
      ),
    ).toEqual(['     - /dev/vda  protected:...', '     1 /dev/vdb']);
  });
});

describe('the choice of a disk', () => {
  it('shows a protected disk with its reason, not to be chosen, after the free ones', () => {
    const choices = diskChoices([own, disk], new Map([['/dev/vdb', 'Debian 12 "web-3"']]));
    expect(choices[0]).toEqual({
      name: '/dev/vdb  8 GiB  virtio  vol-0abc  Debian 12 "web-3"',
      value: { kind: 'disk', path: '/dev/vdb' },
      disabled: null,
    });
    expect(choices.at(-1)).toMatchObject({
      name: '/dev/vda  8 GiB',
      disabled: 'protected: mounted at /',
    });
  });

  it('begins with looking again when no disk is free, so that Enter does no harm', () => {
    expect(diskChoices([own], new Map())[0]?.value).toEqual({ kind: 'again' });
  });
});

describe('what a check found', () => {
  it('does not advise options of the command line', () => {
    expect(withoutOptions('xfs_repair found 3 lines of problems; --repair mends them.')).toBe(
      'xfs_repair found 3 lines of problems.',
    );
    expect(withoutOptions('It was not unmounted. --repair marks it clean.')).toBe(
      'It was not unmounted.',
    );
    expect(withoutOptions('It cannot be replayed, so that only --xfs-zero-log is left.')).toBe(
      'It cannot be replayed, so that only the last resort is left.',
    );
    expect(withoutOptions('btrfs check --repair did not mend it.')).toBe(
      'btrfs check --repair did not mend it.',
    );
  });

  it('calls a journal that was not replayed no damage', () => {
    const dirty = result('damaged', { needsReplay: true });
    expect(renderResults([dirty], view)).toContain('This is no damage');
    expect(damagedOnes([dirty, result('damaged'), result('clean')])).toEqual([result('damaged')]);
  });

  it('is replaced by what a repair came to', () => {
    const other = result('clean', { device: '/dev/vdb2' });
    const after = result('repaired');
    expect(merged([result('damaged'), other], [after])).toEqual([after, other]);
  });
});

describe('the last words', () => {
  const ending = {
    target,
    session: '7f3a',
    teardown: { removed: [], left: [], hookFailures: [] },
    stateDirectory: null,
  };

  it('say that nothing was changed when nothing was', () => {
    expect(doneSentences(nothing, target)).toEqual(['Nothing was changed.']);
    expect(doneSentences({ ...nothing, checks: [result('clean')] }, target)).toEqual([
      'Checked 1 file system: 1 clean.',
      'Nothing was changed.',
    ]);
  });

  it('say that the disk is safe to detach, where the record is, and how to take a repair back', () => {
    const repaired = result('repaired', { undoFile: '/state/undo/x.undo' });
    const text = renderEnding({ ...nothing, checks: [repaired] }, ending, view);
    expect(text).toContain('/dev/vdb is safe to detach.');
    expect(text).toContain('rescuekit status --transcript 7f3a');
    expect(text).toContain('e2undo /state/undo/x.undo /dev/vdb1');
    expect(freeSentence({ ...target, kind: 'image', name: 'disk.img' })).toBe(
      'disk.img is free again.',
    );
  });

  it('name what is left and who holds it, and do not call the disk safe then', () => {
    const left = [{ what: 'unmount /x', reason: 'held by bash (pid 17)' }];
    const teardown = { removed: [], left, hookFailures: [] };
    const text = renderEnding(nothing, { ...ending, teardown }, view);
    expect(text).toContain('unmount /x: held by bash (pid 17)');
    expect(text).toContain('rescuekit cleanup 7f3a');
    expect(text).not.toContain('safe to detach');
  });

  it('after an interruption say what became of the disk, with the state directory in use', () => {
    expect(renderStopped(null, null, { stateDirectory: null })).toContain('Nothing was changed.');
    expect(renderStopped(target, '7f3a', { stateDirectory: '/my state' })).toContain(
      "rescuekit status --transcript 7f3a --state-dir '/my state'",
    );
  });
});

describe('the explanations', () => {
  it('are there for each step and each last resort, in words that every locale can show', () => {
    const all = [checkWords, repairWords, mountWords, bootWords].flatMap(({ explain }) => explain);
    const resorts = (['zeroXfsLog', 'btrfsRepair', 'backupSuperblock'] as const).flatMap(
      (resort) => lastResortWords(resort).explain,
    );
    for (const text of [...all, ...resorts]) {
      expect(text).toMatch(/^[ -~]+\.$/);
      // An explanation is read where the question stands: it must not scroll that away.
      expect(text.length).toBeLessThan(420);
    }
  });
});
