import type { BootStage } from '../proof.ts';
import type { StartJob } from './console/start-jobs.ts';
import type { SerialUse } from './serial-console.ts';
import type { BootEnd, BootWatch } from './watch-boot.ts';

/** What one start of the machine says. */
export type Verdict = {
  readonly passed: boolean;
  /** Where it was when watching ended; null when it passed. */
  readonly stage: BootStage | null;
  /** Why it failed; null when it passed or was not judged. */
  readonly cause: string | null;
  /** Why it says nothing; null when it was judged. */
  readonly notJudged: string | null;
};

/**
 * Seconds: more than what systems wait for by themselves and then go on. A device 90 s (systemd's
 * default), the network 120 s (systemd-networkd-wait-online).
 */
const hangSeconds = 150;
/** Seconds without text in which a boot counts as getting on. */
const goingOn = 15;

const seconds = (value: number): string => `${Math.round(value)} s`;

const stageWords: Readonly<Record<BootStage, string>> = {
  firmware: 'the firmware',
  'boot-loader': 'the boot loader',
  kernel: 'the kernel',
  initramfs: 'the initramfs',
  'root-mounted': 'the start of the services',
  'default-target': 'the login',
  login: 'the login',
};

/** What the processor was stopped by: nothing comes any more, and nothing was said. */
const haltedCause = (stage: BootStage | null): string => {
  switch (stage) {
    case 'boot-loader':
      return 'The boot loader started the kernel, which stopped the processor before it wrote anything: its file is damaged.';
    case 'firmware':
      // Zeros in its place are instructions, too: the processor runs through memory until one stops it.
      return 'The firmware started the disk’s boot code, which stopped the processor: it is damaged.';
    default:
      return 'The processor was stopped before anything was loaded from the disk.';
  }
};

type TimedOut = Extract<BootEnd, { readonly kind: 'time' }>;

type Words = Pick<Verdict, 'cause' | 'notJudged'>;

const failed = (cause: string): Words => ({ cause, notJudged: null });
const open = (notJudged: string): Words => ({ cause: null, notJudged });

const longer = 'a longer --boot-timeout may show more';

/** What systemd still starts: drawn over itself, or, when nothing else comes, begun and not over. */
const jobOf = ({ console, seconds: now }: BootWatch, silentSeconds: number): StartJob | null => {
  const told = console.waitingFor();
  const standsStill = silentSeconds >= goingOn || console.stage() === 'login';
  return told ?? (standsStill ? console.starting(now()) : null);
};

/** A job with a limit of its own ends at it, and the boot may go on. */
const isStuck = ({ seconds: since, limitSeconds }: StartJob): boolean =>
  since >= hangSeconds && (limitSeconds === null || since > limitSeconds);

/** The time limit came, and nothing on the console makes it certain. */
const atLimit = (watch: BootWatch, { silentSeconds, working }: TimedOut): Words => {
  const where = stageWords[watch.console.stage() ?? 'firmware'];
  const after = seconds(watch.seconds());
  const job = jobOf(watch, silentSeconds);
  if (job !== null) {
    return isStuck(job)
      ? failed(`It still waits for ${job.what} after ${after}.`)
      : open(`It still waited for ${job.what} after ${after}, and may go on then: ${longer}.`);
  }
  // What `quiet` hides may be work.
  const isBusy = working && !watch.console.showsStatus();
  if (silentSeconds >= hangSeconds && !isBusy) {
    return failed(
      `It hung in ${where}: no end after ${after}, nothing new for ${seconds(silentSeconds)}.`,
    );
  }
  return silentSeconds < goingOn || isBusy
    ? open(`It was not through after ${after}, and still going on in ${where}: ${longer}.`)
    : open(
        `It was not through after ${after}; in ${where} nothing new came for ${seconds(silentSeconds)}, which is too short for a verdict: ${longer}.`,
      );
};

const wordsOf = (end: BootEnd, watch: BootWatch): Words => {
  const stage = watch.console.stage();
  switch (end.kind) {
    case 'judged': {
      const { judgement } = end;
      if (judgement.outcome === 'passed') return { cause: null, notJudged: null };
      return judgement.outcome === 'failed' ? failed(judgement.cause) : open(judgement.cause);
    }
    case 'powered-off':
      return failed(
        `The machine was switched off by itself in ${stageWords[stage ?? 'firmware']}.`,
      );
    case 'rest':
      return open('The system tells nothing of its boot on the serial console.');
    case 'halted':
      return failed(haltedCause(stage));
    case 'storage-full':
      return open('The scratch directory is full.');
    case 'time':
      return atLimit(watch, end);
  }
};

const stageOfEnd = (end: BootEnd, { console }: BootWatch): BootStage => {
  const stage = console.stage() ?? 'firmware';
  if (end.kind === 'judged' && end.judgement.outcome !== 'passed') return end.judgement.stage;
  // Loaders wait for keys; what stops the processor is a kernel that cannot unpack itself.
  return end.kind === 'halted' && stage === 'boot-loader' ? 'kernel' : stage;
};

/** The verdict of one start by how watching it ended. */
export const verdictOf = (end: BootEnd, watch: BootWatch): Verdict => {
  const passed = end.kind === 'judged' && end.judgement.outcome === 'passed';
  return { passed, stage: passed ? null : stageOfEnd(end, watch), ...wordsOf(end, watch) };
};

/**
 * Whether what the system did could not be heard, so that a start of its own kernel with all messages
 * on the serial line has more to say.
 */
export const isSilent = (end: BootEnd, { console }: BootWatch, serial: SerialUse): boolean => {
  const stage = console.stage();
  if (end.kind !== 'time') return end.kind === 'rest';
  if (serial === 'kernel') return stage !== null && !['firmware', 'boot-loader'].includes(stage);
  return stage === 'kernel' && !console.systemSpoke();
};
