import { z } from 'zod';
import { plainText } from '../../host/plain-text.ts';

/** A start-up job that was not done when the report was made. */
export type WaitingJob = {
  readonly unit: string;
  readonly type: string;
  readonly state: string;
  /** The line as systemctl prints it. */
  readonly line: string;
};

/** A unit as the guest's systemd describes it, with the end of its journal, cleaned. */
export type GuestUnit = {
  readonly unit: string;
  readonly description: string;
  /** `exit-code`, `timeout`, `dependency` … */
  readonly result: string;
  /** Microseconds of the monotonic clock when it became inactive or failed. */
  readonly failedAt: number;
  readonly journal: readonly string[];
};

/** What the guest itself told about its boot. */
export type GuestReport = {
  /** All start-up jobs were done, or the time limit came first. */
  readonly outcome: 'settled' | 'timeout';
  /** `systemctl is-system-running`. */
  readonly system: string;
  readonly target: {
    /** The unit behind an alias: `graphical.target` for `default.target`. */
    readonly id: string;
    readonly loadState: string;
    readonly activeState: string;
  };
  /** systemd's version as it calls itself; null where it does not tell. */
  readonly version: string | null;
  /** From the start of PID 1 until the target was reached; null when it was not. */
  readonly reachedSeconds: number | null;
  readonly jobs: readonly WaitingJob[];
  readonly activeTargets: readonly string[];
  /** Units that the target, and the targets on the way to it, cannot do without. */
  readonly required: readonly string[];
  readonly units: readonly GuestUnit[];
  readonly blame: readonly { readonly unit: string; readonly seconds: number }[];
  readonly criticalChain: readonly string[];
};

type Section = { readonly name: string; readonly lines: readonly string[] };

const clean = (line: string): string => plainText(line).trim();

/** The report's sections; each heading begins with the mark, which nothing else in it can know. */
const sectionsOf = (text: string, mark: string): readonly Section[] => {
  const sections: { name: string; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith(`${mark} `)) {
      sections.push({ name: line.slice(mark.length + 1).trim(), lines: [] });
    } else sections.at(-1)?.lines.push(line);
  }
  return sections;
};

const filled = (lines: readonly string[]): readonly string[] =>
  lines.map(clean).filter((line) => line !== '');

/** `Name=value` lines of `systemctl show`. */
const properties = (lines: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    filled(lines).flatMap((line) => {
      const at = line.indexOf('=');
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );

/** Microseconds; 0 is systemd's word for "never". */
const timestamp = z.coerce.number().catch(0);

const timeUnits: Readonly<Record<string, number>> = {
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  min: 60,
  h: 3600,
};

/** Seconds of a span as systemd.time(7) prints it: `1min 2.345s`, `980ms`, `23us`. */
export const parseTimeSpan = (text: string): number | null => {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(us|ms|min|s|h)\b/g)];
  if (parts.length === 0) return null;
  const seconds = parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (timeUnits[unit ?? ''] ?? 0),
    0,
  );
  // Sums of fractions: 0.043 and not 0.043000000000000003.
  return Number(seconds.toFixed(6));
};

/** `1min 2.345s NAME`: the unit is the last word. */
const parseBlame = (lines: readonly string[]): GuestReport['blame'] =>
  filled(lines).flatMap((line) => {
    const at = line.lastIndexOf(' ');
    const seconds = at < 1 ? null : parseTimeSpan(line.slice(0, at));
    return seconds === null ? [] : [{ unit: line.slice(at + 1), seconds }];
  });

/** Without the two lines that explain the signs; the tree's blanks stay. */
const parseChain = (lines: readonly string[]): readonly string[] =>
  lines
    .map((line) => `${' '.repeat(line.length - line.trimStart().length)}${clean(line)}`.trimEnd())
    .filter((line) => line !== '' && !line.startsWith('The time '));

/** `JOB UNIT TYPE STATE`, in four columns since systemd began (systemctl(1), list-jobs). */
const parseJobs = (lines: readonly string[]): readonly WaitingJob[] =>
  filled(lines).flatMap((line) => {
    const [, unit, type, state] = /^\d+ (\S+) (\S+) (\S+)$/.exec(line) ?? [];
    return unit === undefined || type === undefined || state === undefined
      ? []
      : [{ unit, type, state, line }];
  });

const parseUnits = (sections: readonly Section[]): readonly GuestUnit[] =>
  sections.flatMap(({ name, lines }) => {
    const [kind, unit] = name.split(' ', 2);
    if (kind !== 'unit' || unit === undefined) return [];
    const known = properties(lines);
    const journal = sections.find((section) => section.name === `journal ${unit}`)?.lines ?? [];
    return [
      {
        unit: plainText(unit),
        description: known.Description ?? '',
        result: known.Result ?? '',
        failedAt: timestamp.parse(known.InactiveEnterTimestampMonotonic),
        journal: filled(journal),
      },
    ];
  });

/**
 * Reads the report of the guest's script. Everything in it comes from the disk: it is cleaned, and
 * what does not have the expected form is left out.
 *
 * @param mark what begins each heading.
 * @returns null when it is not whole: the system ended while it reported.
 */
export const parseGuestReport = (text: string, mark: string): GuestReport | null => {
  const sections = sectionsOf(text, mark);
  const lines = (name: string): readonly string[] =>
    sections.find((section) => section.name === name)?.lines ?? [];
  const [outcome] = filled(lines('outcome'));
  const target = properties(lines('target'));
  const whole = sections.some(({ name }) => name === 'end');
  if (!whole || (outcome !== 'settled' && outcome !== 'timeout')) return null;
  const manager = properties(lines('manager'));
  const reached = timestamp.parse(target.ActiveEnterTimestampMonotonic);
  const started = timestamp.parse(manager.UserspaceTimestampMonotonic);
  return {
    outcome,
    system: filled(lines('system'))[0] ?? '',
    target: {
      id: target.Id ?? '',
      loadState: target.LoadState ?? '',
      activeState: target.ActiveState ?? '',
    },
    version: manager.Version ?? null,
    reachedSeconds: reached > 0 ? Math.max(0, reached - started) / 1e6 : null,
    jobs: parseJobs(lines('jobs')),
    activeTargets: filled(lines('active')).map((line) => line.split(' ')[0] ?? ''),
    required: filled(lines('required')).flatMap((line) => line.split('=')[1]?.split(' ') ?? []),
    units: parseUnits(sections),
    blame: parseBlame(lines('blame')),
    criticalChain: parseChain(lines('chain')),
  };
};
