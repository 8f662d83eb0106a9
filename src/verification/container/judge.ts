import type { BootReport } from '../../container/boot-report.ts';
import type { Proof } from '../proof.ts';
import { isFrozen, lastConsoleLines } from './console.ts';
import { expectedInContainer } from './expected-failures.ts';
import type { GuestReport, GuestUnit, WaitingJob } from './guest-report.ts';
import { noMachine } from './no-machine.ts';

/** A watched boot with what is needed to judge it. */
export type Watched = {
  readonly boot: BootReport;
  /** Null when the system told nothing, or not all of it. */
  readonly report: GuestReport | null;
  /** The unit that was to be reached, as it was named. */
  readonly unit: string;
  readonly limitSeconds: number;
  /** From the start until the verdict. */
  readonly seconds: number;
};

type Judged = Pick<Proof, 'cause' | 'evidence'> & Partial<Pick<Proof, 'notJudged'>>;

type Failure = GuestUnit & { readonly expected: string | null };

const slowestUnits = 10;
const journalLines = 10;
const jobLines = 12;

/** Failed units in the order in which they failed. */
const failuresOf = ({ boot, report }: Watched): readonly Failure[] => {
  const failed = new Set(boot.failedUnits);
  const units = (report?.units ?? []).filter(({ unit }) => failed.has(unit));
  return units
    .map((unit) => ({ ...unit, expected: expectedInContainer(unit, units) }))
    .toSorted((a, b) => a.failedAt - b.failedAt);
};

const lastOf = ({ journal }: GuestUnit): readonly string[] => journal.slice(-journalLines);

const cannotStart =
  /error while loading shared libraries|^execv\(.*failed|Exec format error|Failed to (?:execute|mount|allocate)|Permission denied|Segmentation fault/;

/** Why nothing came back from inside, of what the console shows. */
const silenceCause = ({ boot, limitSeconds }: Watched): string => {
  const find = (words: RegExp): string | undefined => boot.console.find((line) => words.test(line));
  const frozen = boot.console.find(isFrozen);
  if (frozen !== undefined) return `Its systemd gave up: ${frozen}`;
  const noShell = find(/^rescuekit-watch\.service: .*\/bin\/sh/);
  if (noShell !== undefined) return 'Its shell, /bin/sh, cannot be run.';
  const stopped = find(cannotStart);
  if (stopped !== undefined) return `Its init could not start: ${stopped}`;
  const ends = find(/^Queued start job for default target .*(?:power-?off|reboot|halt|kexec)/i);
  if (ends !== undefined) return 'Its default target ends the system as soon as it has started.';
  if (boot.rebooted) return 'The system restarted itself before it was up.';
  return boot.timedOut
    ? `The system gave no sign of life within ${limitSeconds} s.`
    : 'The system ended before it was up.';
};

/** Nothing came back from inside: the init itself is at fault, or what its programs need. */
const judgeSilence = (watched: Watched): Judged => ({
  cause: silenceCause(watched),
  evidence: lastConsoleLines(watched.boot.console),
});

const names = (units: readonly { readonly unit: string }[]): string =>
  units.map(({ unit }) => unit).join(', ');

const blockedWords = (running: readonly WaitingJob[], waiting: number, limit: number): string => {
  const one = running.length === 1;
  const others =
    waiting === 0 ? '' : `, and ${waiting} more ${waiting === 1 ? 'job' : 'jobs'} waited`;
  return `${names(running)} ${one ? 'blocks' : 'block'} the boot: ${one ? 'it was' : 'they were'} still starting after ${limit} s${others}.`;
};

const judgeBlocked = (
  { limitSeconds }: Watched,
  { jobs, units }: GuestReport,
  running: readonly WaitingJob[],
): Judged => {
  const waiting = jobs.filter((job) => !running.includes(job));
  const journals = running.flatMap(({ unit }) => {
    const known = units.find((one) => one.unit === unit);
    return known === undefined ? [] : lastOf(known);
  });
  return {
    cause: blockedWords(running, waiting.length, limitSeconds),
    evidence: [...[...running, ...waiting].slice(0, jobLines).map(({ line }) => line), ...journals],
  };
};

const loadWords: Readonly<Record<string, string>> = {
  'not-found': 'is not there, or it is a link to nothing',
  masked: 'is masked',
  'bad-setting': 'has a setting that systemd refuses',
  error: 'cannot be read',
};

const judgeUnloaded = ({ boot }: Watched, { target }: GuestReport, name: string): Judged => ({
  cause: `${name} ${loadWords[target.loadState] ?? `cannot be loaded (${target.loadState})`}.`,
  evidence: [`${name}: LoadState=${target.loadState}`, ...targetLines(boot, name)],
});

/** What PID 1 says about the target: on the console, and in the journal. */
const targetLines = (boot: BootReport, name: string): readonly string[] => {
  const about = (line: string): boolean => line.includes(name) || /[Ff]alling back to/.test(line);
  const journal = boot.journal.split('\n').filter(about);
  return (journal.length > 0 ? journal : boot.console.filter(about)).slice(0, journalLines);
};

/** Units without which the others do not start; the jobs of those fail with this word. */
const dependencyLines = ({ journal }: BootReport): readonly string[] =>
  journal
    .split('\n')
    .filter((line) =>
      /Dependency failed for|Timed out waiting for|failed with result 'dependency'/.test(line),
    )
    .slice(0, journalLines);

/** The failure that kept the target from being reached: one that is required, else the first real one. */
const culpritOf = (
  failures: readonly Failure[],
  { required }: GuestReport,
): Failure | undefined => {
  const needed = failures.filter(({ unit }) => required.includes(unit));
  const isReal = ({ expected }: Failure): boolean => expected === null;
  return needed.find(isReal) ?? needed[0] ?? failures.find(isReal) ?? failures[0];
};

const judgeFailed = (
  watched: Watched,
  report: GuestReport,
  name: string,
  failures: readonly Failure[],
): Judged => {
  const { boot } = watched;
  const culprit = culpritOf(failures, report);
  const emergency = report.activeTargets.includes('emergency.target');
  const end = emergency ? 'the system went into its emergency mode' : `${name} was not reached`;
  if (culprit === undefined) {
    const lines = dependencyLines(boot);
    return {
      cause: emergency ? `The system went into its emergency mode.` : `${name} was not reached.`,
      evidence: lines.length > 0 ? lines : lastConsoleLines(boot.console),
    };
  }
  const words = `${culprit.unit} failed, and ${end}.`;
  return {
    cause: culprit.expected === null ? words : null,
    notJudged:
      culprit.expected === null
        ? null
        : `${words} It fails in any container (${culprit.expected}): only a boot in a VM can tell (verify with --vm).`,
    evidence: [...lastOf(culprit), ...dependencyLines(boot)],
  };
};

const judgeReached = ({ limitSeconds }: Watched, report: GuestReport, name: string): Judged => {
  const { jobs, system, reachedSeconds, version } = report;
  const after =
    reachedSeconds === null
      ? ''
      : ` ${reachedSeconds.toFixed(1)} s after systemd${version === null ? '' : ` ${version}`} started`;
  return {
    cause: null,
    evidence: [
      `${name} is active${after}`,
      `systemctl is-system-running: ${system}`,
      ...(jobs.length === 0
        ? ['systemctl list-jobs: none left']
        : [
            `Still starting after ${limitSeconds} s:`,
            ...jobs.slice(0, jobLines).map(({ line }) => line),
          ]),
    ],
  };
};

/** `default.target` may be one that ends the system, and a unit may ask for it. */
const judgeStopping = ({ boot }: Watched, { jobs }: GuestReport, name: string): Judged => ({
  cause: `It shuts down while it starts; ${name} does not last.`,
  evidence: [
    'systemctl is-system-running: stopping',
    ...jobs.slice(0, jobLines).map(({ line }) => line),
    ...lastConsoleLines(boot.console, 4),
  ],
});

const judge = (watched: Watched, failures: readonly Failure[]): Judged => {
  const { report, unit } = watched;
  if (report === null) return judgeSilence(watched);
  const name = report.target.id || unit;
  if (report.system === 'stopping') return judgeStopping(watched, report, name);
  if (report.target.activeState === 'active') return judgeReached(watched, report, name);
  if (report.target.loadState !== 'loaded') return judgeUnloaded(watched, report, name);
  const running = report.jobs.filter(({ state }) => state === 'running');
  return report.outcome === 'timeout' && running.length > 0
    ? judgeBlocked(watched, report, running)
    : judgeFailed(watched, report, name, failures);
};

/**
 * What a watched boot in a container proves.
 *
 * It boots when the target is active: as on the machine itself, a failed unit beside it is a fault
 * to be named and no reason why the machine would not come up.
 */
export const judgeContainerBoot = (watched: Watched): Proof => {
  const { report, unit, seconds } = watched;
  const failures = failuresOf(watched);
  const { cause, notJudged = null, evidence } = judge(watched, failures);
  return {
    ...noMachine,
    boots: cause === null && notJudged === null,
    target: report?.target.id || unit,
    failedUnits: failures.filter(({ expected }) => expected === null).map((failed) => failed.unit),
    units: failures.map((failed) => ({
      unit: failed.unit,
      expected: failed.expected,
      journal: lastOf(failed),
    })),
    seconds: Number(seconds.toFixed(3)),
    evidence,
    cause,
    notJudged,
    blame: report?.blame.slice(0, slowestUnits) ?? [],
    criticalChain: report?.criticalChain ?? [],
  };
};
