import type { BootRun, Firmware, Proof } from '../proof.ts';
import type { RunResult } from './run-machine.ts';

/** The runs that were made with one firmware, in their order; at least one. */
export type FirmwareResult = {
  readonly firmware: Firmware;
  readonly results: readonly RunResult[];
};

const names: Readonly<Record<Firmware, string>> = { bios: 'BIOS', uefi: 'UEFI' };

const startWords: Readonly<Record<BootRun['start'], string>> = {
  disk: 'from the disk’s own boot loader',
  kernel: 'the system’s own kernel, initramfs and command line with a serial console',
};

const ending = (run: BootRun): string => {
  const time = `after ${Math.round(run.seconds)} s`;
  if (!run.passed) return `${run.cause ?? 'no verdict'} (${time})`;
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
const passes = ({ results }: FirmwareResult): boolean => results.at(-1)?.run.passed === true;

const mergeStages = (results: readonly RunResult[]): Proof['stages'] => {
  const all = results.flatMap(({ run }) => run.stages);
  return all.filter((one, index) => all.findIndex(({ stage }) => stage === one.stage) === index);
};

const causeOf = (failing: FirmwareResult, all: readonly FirmwareResult[]): string => {
  const cause = failing.results.at(-1)?.run.cause ?? 'It could not be judged.';
  if (all.length === 1) return cause;
  const others = all.filter(passes).map(({ firmware }) => names[firmware]);
  const rest = others.length === 0 ? '' : ` With ${others.join(' and ')} it boots.`;
  return `With ${names[failing.firmware]}: ${cause}${rest}`;
};

/** The verdict of all runs: it boots when it boots with each firmware that it was to be tried with. */
export const combineRuns = (all: readonly FirmwareResult[], target: string | null): Proof => {
  const failing = all.find((result) => !passes(result));
  const shown = failing ?? all[0];
  const runs = all.flatMap(({ results }) => results.map(({ run }) => run));
  const failedUnits = [
    ...new Set(all.flatMap(({ results }) => results.flatMap(({ failedUnits: units }) => units))),
  ];
  const last = shown?.results.at(-1)?.run;
  return {
    boots: all.length > 0 && failing === undefined,
    method: 'vm',
    target,
    failedUnits,
    units: failedUnits.map((unit) => ({ unit, expected: null, journal: [] })),
    seconds: runs.reduce((sum, run) => sum + run.seconds, 0),
    evidence: (failing === undefined ? all : [failing]).flatMap(evidenceOf),
    stages: mergeStages(shown?.results ?? []),
    stoppedAt: last?.stoppedAt ?? null,
    cause: failing === undefined ? null : causeOf(failing, all),
    notJudged: null,
    firmware: shown?.firmware ?? null,
    accelerator: last?.accelerator ?? null,
    screen: runs.find(({ screen }) => screen !== null)?.screen ?? null,
    runs,
    blame: [],
    criticalChain: [],
  };
};
