// Measures the executable against the same work by hand; see scripts/bench.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDiskImage } from '../fixtures/disk-image.ts';
import { createHost } from '../src/host/host.ts';
import { measureStack } from './bench-stack.ts';
import { measureVerdicts, type Verdict } from './bench-verify.ts';

const here = join(import.meta.dirname, '..');
const program = join(here, 'dist/rescuekit');
const quick = process.argv.includes('--quick');
const runs = quick ? 3 : 9;

type Words = readonly [string, ...string[]];

/** Milliseconds of one run; a run that fails measures nothing. */
const timed = ([command, ...args]: Words): number => {
  const began = performance.now();
  const { status, stderr } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const milliseconds = performance.now() - began;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return milliseconds;
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The two in turn, so that a machine that gets slower slows both; after one run of each unmeasured. */
const paired = (ours: Words, theirs: Words, count = runs) => {
  timed(ours);
  timed(theirs);
  return medians(
    Array.from({ length: count }, () => ({ ours: timed(ours), theirs: timed(theirs) })),
  );
};

const medians = (pairs: readonly { readonly ours: number; readonly theirs: number }[]) => ({
  ours: median(pairs.map((pair) => pair.ours)),
  theirs: median(pairs.map((pair) => pair.theirs)),
  ratio: median(pairs.map((pair) => pair.ours / pair.theirs)),
});

const line = (name: string, values: string, aim: string) =>
  console.log(`${name.padEnd(44)} ${values.padEnd(34)} ${aim}`);

const ms = (value: number): string => `${value.toFixed(0)} ms`;

const showPair = (name: string, result: ReturnType<typeof medians>, aim: string): void =>
  line(name, `${ms(result.ours)} / ${ms(result.theirs)} = ${result.ratio.toFixed(2)}`, aim);

const showVerdict = (name: string, { seconds, wallSeconds, accelerator }: Verdict): void => {
  const speed = accelerator === 'tcg' ? 'software emulation' : (accelerator ?? '');
  line(name, `${seconds.toFixed(1)} s, whole command ${wallSeconds.toFixed(1)} s`, speed);
};

/** VmHWM only grows, so the last sample before the end is the peak, in MiB. */
const peakMemory = async ([command, ...args]: Words): Promise<number> => {
  const child = spawn(command, args, { stdio: 'ignore' });
  let peak = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? peak * 1024) / 1024;
    } catch {
      // It has ended between two samples.
    }
  }, 5);
  await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  return peak;
};

/** Attaches small images, measures, and detaches them by their names. */
const withLoops = <T>(work: string, count: number, measure: () => T): T => {
  const loops: string[] = [];
  const template = join(work, 'template.img');
  writeFileSync(template, '');
  truncateSync(template, 1024 * 1024);
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext2', template]);
  try {
    for (let index = 0; index < count; index++) {
      const file = join(work, `small-${index}.img`);
      copyFileSync(template, file);
      const shown = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' });
      loops.push(shown.trim());
    }
    return measure();
  } finally {
    for (const loop of loops) execFileSync('losetup', ['--detach', loop]);
  }
};

const work = mkdtempSync(join(tmpdir(), 'rescuekit-bench-'));
try {
  const [ours, hand] = ['ours.raw', 'hand.raw'].map((name) => join(work, name)) as [string, string];
  for (const file of [ours, hand]) await makeDiskImage(createHost(), { file });
  const state = ['--state-dir', join(work, 'state')];
  const rescue: Words = [program, 'rescue', ours, '--exec', 'true', ...state];
  const byHand: Words = [join(here, 'scripts/rescue-by-hand.sh'), hand, join(work, 'by-hand')];

  console.log(`medians of ${runs} paired runs\n`);
  line('what', 'rescuekit / by hand = ratio', 'aim');
  showPair('whole rescue, non-interactive', paired(rescue, byHand), 'at most 1.25');
  const node: Words = [process.execPath, '-e', '0'];
  showPair('--version / node -e 0', paired([program, '--version'], node), '40 ms');
  const lsblk: Words = ['lsblk', '--json'];
  showPair('list / lsblk --json', paired([program, 'list'], lsblk), '100 ms');
  for (const count of quick ? [16, 128] : [16, 128, 512]) {
    const result = withLoops(work, count, () => paired([program, 'list'], lsblk, 3));
    showPair(`list with ${count} devices more`, result, 'linear');
  }
  const stack = medians(await measureStack(quick ? 3 : 7));
  showPair('LVM on RAID1 up and down, in the lab', stack, 'at most 1.3');
  const verdicts = await measureVerdicts([program, ...state]);
  showVerdict('verdict of verify, in a container', verdicts.container);
  showVerdict('verdict of verify --vm', verdicts.vm);
  line('peak memory of the rescue', `${(await peakMemory(rescue)).toFixed(0)} MiB`, 'under 120 MB');
} finally {
  rmSync(work, { recursive: true, force: true });
}
