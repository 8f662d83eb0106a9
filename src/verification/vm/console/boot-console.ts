import { type BootStage, bootStages } from '../../proof.ts';
import { type Channel, consoleMemory } from './console-memory.ts';
import { type FailureMark, lineMarks, promptMarks } from './failure-marks.ts';
import { failed, type Judgement, judgeSilence } from './judgement.ts';
import { questions } from './questions.ts';
import { isKernelStart, stageOf } from './stage-marks.ts';
import { parseStartJob, type StartJob, startJobs } from './start-jobs.ts';

export type PassedStage = { readonly stage: BootStage; readonly seconds: number };

/** Follows one boot on the serial ports. Seconds are counted from the machine's start. */
export type BootConsole = {
  readonly push: (chunk: string, seconds: number, channel?: Channel) => void;
  /** What is known from elsewhere: the processor runs a kernel though the console is silent. */
  readonly reach: (stage: BootStage, seconds: number) => void;
  /** The machine was reset. */
  readonly restarted: () => void;
  /** Null while everything is open. */
  readonly judge: () => Judgement | null;
  readonly stage: () => BootStage | null;
  readonly stages: () => readonly PassedStage[];
  /** Units that failed in the system itself, in their order. */
  readonly failedUnits: () => readonly string[];
  /** What systemd is waiting for, when that is the newest on the console. */
  readonly waitingFor: () => StartJob | null;
  /** The unit that has been starting for longest, as far as systemd tells what it starts. */
  readonly starting: (seconds: number) => StartJob | null;
  /** Its question was answered with this. */
  readonly answered: (secret: string) => void;
  /** It says that an answer was no key to a volume. */
  readonly refusedKey: () => boolean;
  /** The lines that show it, at most `count` and what failed earlier. */
  readonly evidence: (count: number) => readonly string[];
  /** Any text of the system itself, after the boot loader, has come. */
  readonly systemSpoke: () => boolean;
  /** systemd writes what it starts: silence is none of its settings. */
  readonly showsStatus: () => boolean;
};

/** Resets or kernels after which it is a loop: SELinux relabels and first boots restart once. */
const loopAfter = 3;

/**
 * Seconds after a login prompt in which the default target is to be reached, where systemd writes
 * that: it starts gettys before, and what hangs in between is no end of a boot.
 */
const promptSeconds = 60;
/** How the one verdict begins that rests on the machine's resets. */
const restarts = 'It restarts again and again';
export const isRestartCause = (cause: string): boolean => cause.startsWith(restarts);

/** Where a start ended that was followed by the next one. */
const restartPlaces: Readonly<Record<BootStage, string>> = {
  firmware: 'before any boot loader came',
  'boot-loader': 'after the boot loader and before the kernel wrote anything',
  kernel: 'in the kernel',
  initramfs: 'in the initramfs',
  'root-mounted': 'while the services start',
  'default-target': 'after the default target was reached',
  login: 'after the login prompt',
};

const after = (one: BootStage, other: BootStage | null): boolean =>
  other === null || bootStages.indexOf(one) > bootStages.indexOf(other);

const failedUnit = /^\[FAILED\] Failed to (?:start|mount|listen on|activate swap) (.*?)\.?$/;
const statusLine = /^\[ ?(?:OK|FAILED|DEPEND|TIME) ?\] /;
const getty = /^\[ ?OK ?\] Started .*(?:[Ss]erial.[Gg]etty|Serial Getty)/;

/** `shop.service - Shop front end` names the unit; older systemds only describe it. */
const unitName = (words: string): string => /^(\S+\.[a-z]+) - /.exec(words)?.[1] ?? words;

type Found = {
  readonly mark: FailureMark;
  readonly match: RegExpExecArray;
  readonly line: string;
};

const find = (
  marks: readonly FailureMark[],
  line: string,
  before: readonly string[],
): Found | null => {
  for (const mark of marks) {
    const match = mark.pattern.exec(line);
    if (match !== null && mark.cause(match, before) !== null) return { mark, match, line };
  }
  return null;
};

/** A failure that no later success overtakes. */
const isFinal = ({ mark }: Found): boolean => mark.silence <= 2;

/** @param target the unit that the system boots into, where it is not one of the usual two. */
export const bootConsole = (target: string | null = null): BootConsole => {
  const memory = consoleMemory();
  const stages: PassedStage[] = [];
  const units = new Set<string>();
  const saw = { status: false, getty: false, system: false };
  const starts = { kernels: 0, resets: 0 };
  const jobs = startJobs();
  const asked = questions();
  const at: { login: number | null; target: number | null } = { login: null, target: null };
  let now = 0;
  let stage: BootStage | null = null;
  let failure: Found | null = null;

  const begun = (line: string): BootStage | null =>
    target !== null && line.includes(`Reached target ${target}`) ? 'default-target' : stageOf(line);
  const reach = (next: BootStage, seconds: number): void => {
    if (!after(next, stage)) return;
    stage = next;
    stages.push({ stage: next, seconds });
    if (next === 'default-target') at.target ??= seconds;
    if (next === 'root-mounted') {
      units.clear();
      jobs.clear();
    }
    if (failure !== null && !isFinal(failure) && after(next, failure.mark.stage)) failure = null;
  };
  /** What a system said before it was started again says nothing of this start. */
  const startAgain = (from: BootStage | null): void => {
    stage = from;
    at.login = null;
    at.target = null;
    saw.status = false;
    saw.getty = false;
    asked.clear();
    jobs.clear();
  };
  const takeLine = (line: string, seconds: number): void => {
    asked.take(line);
    if (isKernelStart(line)) {
      starts.kernels += 1;
      if (starts.kernels > 1) startAgain('boot-loader');
    }
    const next = begun(line);
    if (next !== null) reach(next, seconds);
    // Behind a login prompt it is no further stage.
    if (next === 'default-target') at.target ??= seconds;
    jobs.take(line, seconds);
    saw.system ||= next !== null && !after('kernel', next);
    saw.status ||= statusLine.test(line);
    saw.getty ||= getty.test(line);
    const unit = failedUnit.exec(line)?.[1];
    if (unit !== undefined) units.add(unitName(unit));
    const found = find(lineMarks, line, memory.lines());
    if (found !== null && (failure === null || !isFinal(failure))) failure = found;
  };
  const isLoading = (): boolean => stage === null || after('kernel', stage);
  /** What stands unfinished on either port; of the screen only while the loader has it. */
  const prompts = (): readonly string[] => [
    memory.last('system'),
    ...(isLoading() ? [memory.last('firmware')] : []),
  ];
  /** A question that the kernel has written behind, which ends its line. */
  const cutQuestion = (): Found | null => {
    const line = memory.last('system') === '' ? asked.cut() : null;
    const found = line === null ? null : find(promptMarks, line, memory.lines());
    return found?.mark.answerable === true ? found : null;
  };
  const prompted = (): Found | null => {
    // A cursor that jumps may cut a prompt in two: the first letters then count as a line.
    const before = memory.lines().at(-1) ?? '';
    for (const text of prompts().flatMap((last) => (last === '' ? [] : [last, before + last]))) {
      const found = find(promptMarks, text, memory.lines());
      if (found === null) continue;
      const isOld = text.startsWith(before) && before !== '' && found.mark.pattern.test(before);
      if (found.mark.answerable !== true || (asked.isNew() && !isOld)) return found;
    }
    return cutQuestion();
  };
  const failedAs = ({ mark, match }: Found): Judgement => {
    // In an initramfs that runs systemd its emergency mode looks like the system's own.
    const isInside = mark.stage === 'root-mounted' && stage === 'initramfs';
    const where = isInside || (stage !== null && after(stage, mark.stage)) ? stage : mark.stage;
    const cause = mark.cause(match, memory.lines()) ?? '';
    const judgement = failed(where ?? mark.stage, cause, mark.silence);
    return mark.notJudged === true && judgement.outcome === 'failed'
      ? {
          ...judgement,
          outcome: 'not-judged',
          asks: mark.answerable === true && !isLoading() ? (match[1] ?? '') : null,
        }
      : judgement;
  };
  const isLogin = (): boolean => stage === 'login' || stageOf(memory.last('system')) === 'login';
  const judgeLogin = (): Judgement | null => {
    const passed = { outcome: 'passed', by: 'login', bySilence: false } as const;
    if (!saw.status || at.target !== null) return { ...passed, silence: 1 };
    if (memory.waitingFor() !== null || jobs.running(now) !== null) return null;
    return { ...passed, silence: Math.max(3, (at.login ?? now) + promptSeconds - now) };
  };
  return {
    push: (chunk, seconds, channel = 'system') => {
      now = seconds;
      for (const line of memory.push(chunk, channel)) takeLine(line, seconds);
      if (isLogin()) at.login ??= seconds;
      // Its first sector writes this, and the line is never ended when the rest does not come up.
      if (/^GRUB\b/.test(memory.last(channel))) reach('boot-loader', seconds);
    },
    reach,
    restarted: () => {
      starts.resets += 1;
      memory.cut();
      startAgain(null);
    },
    judge: () => {
      if (failure !== null && isFinal(failure)) return failedAs(failure);
      if (starts.resets >= loopAfter || starts.kernels >= loopAfter) {
        const last = stages.at(-1)?.stage ?? 'firmware';
        return failed(last, `${restarts}, ${restartPlaces[last]}.`, 0);
      }
      if (isLogin()) return judgeLogin();
      const found = prompted();
      if (found !== null) return failedAs(found);
      if (failure !== null) return failedAs(failure);
      return judgeSilence(stage, memory.lines(), saw.getty, now - (at.target ?? now));
    },
    stage: () => stage,
    stages: () => stages,
    failedUnits: () => [...units],
    waitingFor: () => {
      const text = memory.waitingFor();
      return text === null ? null : parseStartJob(text);
    },
    starting: (seconds) => jobs.running(seconds),
    answered: (secret) => {
      asked.answered();
      memory.answered(secret);
    },
    refusedKey: asked.refusedKey,
    evidence: (count) => {
      // Behind a panic come its registers, behind an emergency what is stopped, behind a login more.
      const login = () => memory.lines().findLast((line) => stageOf(line) === 'login') ?? null;
      return memory.upTo(failure?.line ?? login(), count, prompts());
    },
    systemSpoke: () => saw.system,
    showsStatus: () => saw.status,
  };
};
