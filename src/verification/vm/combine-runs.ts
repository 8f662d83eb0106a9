import type { BootRun, Firmware, Proof } from '../proof.ts';
import type { RunResult } from './run-machine.ts';
import type { VmRequest } from './vm-request.ts';

/** The runs that were made with one firmware, in their order; at least one. */
export type FirmwareResult = {
  readonly firmware: Firmware;
  readonly results: readonly RunResult[];
  /** Why all of them together say nothing, whatever the last one says; null when they do. */
  readonly notJudged: string | null;
};

const names: Readonly<Record<Firmware, string>> = { bios: 'BIOS', uefi: 'UEFI' };

const startWords: Readonly<Record<BootRun['start'], string>> = {
  disk: 'from the disk’s own boot loader',
  kernel: 'the system’s own kernel, initramfs and command line with a serial console',
};

const ending = (run: BootRun): string => {
  const time = `after ${Math.round(run.seconds)} s`;
  if (!run.passed) return `${run.cause ?? run.notJudged ?? 'no verdict'} (${time})`;
  const login = run.stages.some(({ stage }) => stage === 'login');
  return login
    ? `login prompt ${time}`
    : `default target reached ${time}; the system has no login on this console`;
};

/** One sentence about each run, and the console's lines of the one that decided. */
const evidenceOf = ({ results }: FirmwareResult): readonly string[] => [
  ...results.map(({ run }) => `${names[run.firmware]}, ${startWords[run.start]}: ${ending(run)}`),
  ...(results.at(-1)?.run.evidence ?? []),
];

/** The last run decides: a further one is made only where those before told too little. */
const openOf = ({ results, notJudged }: FirmwareResult): string | null =>
  notJudged ?? results.at(-1)?.run.notJudged ?? null;
const passes = (result: FirmwareResult): boolean =>
  openOf(result) === null && result.results.at(-1)?.run.passed === true;
const fails = (result: FirmwareResult): boolean => openOf(result) === null && !passes(result);

const mergeStages = (results: readonly RunResult[]): Proof['stages'] => {
  const all = results.flatMap(({ run }) => run.stages);
  return all.filter((one, index) => all.findIndex(({ stage }) => stage === one.stage) === index);
};

/** Why it does not boot with one firmware or was not judged, and what the others say. */
const wordsOf = (shown: FirmwareResult, all: readonly FirmwareResult[]): string => {
  const words = openOf(shown) ?? shown.results.at(-1)?.run.cause ?? 'It was not seen to boot.';
  if (all.length === 1) return words;
  const rest = (which: (one: FirmwareResult) => boolean, what: string): string => {
    const others = all.filter((one) => one !== shown && which(one));
    const list = others.map(({ firmware }) => names[firmware]).join(' and ');
    return list === '' ? '' : ` With ${list} ${what}.`;
  };
  const open = rest((one) => openOf(one) !== null, 'it was not judged');
  return `With ${names[shown.firmware]}: ${words}${rest(passes, 'it boots')}${open}`;
};

/**
 * The verdict of all runs: it boots when it boots with each firmware that it was to be tried with,
 * and does not when it fails with one. What is left was not judged.
 */
export const combineRuns = (
  all: readonly FirmwareResult[],
  { target, bus }: Pick<VmRequest, 'target' | 'bus'>,
): Proof => {
  const failing = all.find(fails);
  const open = all.find((result) => openOf(result) !== null);
  const unsound = failing ?? open;
  const shown = unsound ?? all[0];
  const nothing = all.length === 0 ? 'Nothing was started.' : null;
  const runs = all.flatMap(({ results }) => results.map(({ run }) => run));
  const failedUnits = [
    ...new Set(all.flatMap(({ results }) => results.flatMap(({ failedUnits: units }) => units))),
  ];
  const last = shown?.results.at(-1)?.run;
  return {
    boots: all.length > 0 && unsound === undefined,
    method: 'vm',
    target,
    failedUnits,
    units: failedUnits.map((unit) => ({ unit, expected: null, journal: [] })),
    seconds: runs.reduce((sum, run) => sum + run.seconds, 0),
    evidence: (unsound === undefined ? all : [unsound]).flatMap(evidenceOf),
    stages: mergeStages(shown?.results ?? []),
    stoppedAt: last?.stoppedAt ?? null,
    cause: failing === undefined ? null : wordsOf(failing, all),
    notJudged: failing !== undefined || open === undefined ? nothing : wordsOf(open, all),
    firmware: shown?.firmware ?? null,
    accelerator: last?.accelerator ?? null,
    bus,
    screen: runs.find(({ screen }) => screen !== null)?.screen ?? null,
    runs,
    blame: [],
    criticalChain: [],
  };
};
