import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsedReport, recordedMark, recordedReport } from '../../../fixtures/watched-boot.ts';
import { parseGuestReport, parseTimeSpan } from './guest-report.ts';

describe('the report of a watched boot', () => {
  it.each(['healthy-247', 'healthy-262'])('tells of %s what was reached and when', (name) => {
    const report = parsedReport(name);
    expect(report).toMatchObject({
      outcome: 'settled',
      system: 'running',
      target: { id: 'graphical.target', loadState: 'loaded', activeState: 'active' },
      jobs: [],
      units: [],
    });
    expect(report.version).toMatch(/^2(47|62)/);
    expect(report.reachedSeconds).toBeGreaterThan(0.1);
    expect(report.reachedSeconds).toBeLessThan(30);
    expect(report.activeTargets).toContain('multi-user.target');
  });

  it('has the slowest units in seconds, the slowest first, and the critical chain', () => {
    const { blame, criticalChain } = parsedReport('healthy-247');
    const times = blame.map(({ seconds }) => seconds);
    expect(times.length).toBeGreaterThan(5);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(blame.map(({ unit }) => unit)).toContain('systemd-journald.service');
    expect(criticalChain[0]).toMatch(/^graphical\.target @/);
    expect(criticalChain[1]).toMatch(/^└─multi-user\.target @/);
    expect(criticalChain[2]).toMatch(/^ {2}└─/);
  });

  it('has each failed unit with why, and the end of its journal', () => {
    const [unit, ...others] = parsedReport('failed-unit-257').units;
    expect(others).toEqual([]);
    expect(unit).toMatchObject({ unit: 'bad.service', description: 'Bad', result: 'exit-code' });
    expect(unit?.failedAt).toBeGreaterThan(0);
    expect(unit?.journal.join('\n')).toContain('config file is missing');
  });

  it('has the jobs that still wait, and the journal of the one that runs', () => {
    const { outcome, jobs, units } = parsedReport('blocked-257');
    expect(outcome).toBe('timeout');
    expect(jobs.filter(({ state }) => state === 'running')).toMatchObject([
      { unit: 'slow.service', type: 'start' },
    ]);
    expect(jobs.map(({ unit }) => unit)).toContain('graphical.target');
    expect(units.map(({ unit }) => unit)).toEqual(['slow.service']);
    expect(units[0]?.journal.join('\n')).toContain('waiting for the moon');
  });

  it('says that a target is not there, and what the targets need', () => {
    expect(parsedReport('no-default-257').target).toMatchObject({ loadState: 'not-found' });
    expect(parsedReport('emergency-247').required).toContain('srv.mount');
    expect(parsedReport('emergency-247').activeTargets).toContain('emergency.target');
  });

  it('counts for nothing when it is cut off anywhere', () => {
    const text = recordedReport('failed-unit-257');
    const end = text.indexOf(`${recordedMark} end`);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: end }), (at) => {
        expect(parseGuestReport(text.slice(0, at), recordedMark)).toBeNull();
      }),
    );
  });

  it('takes no journal line for a heading, and no control character from it', () => {
    const text = recordedReport('failed-unit-257').replace(
      'config file is missing',
      'x\u001b[2J\nrescuekit-other end\ny',
    );
    const journal = parseGuestReport(text, recordedMark)?.units[0]?.journal ?? [];
    expect(journal).toContain('rescuekit-other end');
    expect(journal.join('')).not.toContain('\u001b');
  });
});

describe('a time span of systemd', () => {
  it.each([
    ['23us', 0.000023],
    ['980ms', 0.98],
    ['1.518s', 1.518],
    ['1min 2.345s', 62.345],
    ['2h 3min 4s', 7384],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseTimeSpan(text)).toBeCloseTo(seconds, 6);
  });

  it('is nothing when there is none', () => {
    expect(parseTimeSpan('Bootup is not yet finished')).toBeNull();
  });
});
