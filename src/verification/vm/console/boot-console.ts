import { type BootStage, bootStages } from '../../proof.ts';
import { consoleLines } from './console-lines.ts';
import { type FailureMark, grubError, lineMarks, promptMarks } from './failure-marks.ts';
import { isKernelStart, stageOf } from './stage-marks.ts';

/** `firmware`: what firmware and boot loader show on the screen; `system`: the serial console. */
export type Channel = 'firmware' | 'system';

/** What the console says about the boot up to now. */
export type Judgement = {
  /** Seconds without anything new on the console until it is certain. */
  readonly silence: number;
} & (
  | { readonly outcome: 'passed'; readonly by: 'login' | 'default-target' }
  | { readonly outcome: 'failed'; readonly stage: BootStage; readonly cause: string }
);

export type PassedStage = { readonly stage: BootStage; readonly seconds: number };

/** Follows one boot on the serial console. Seconds are counted from the machine's start. */
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
  /** What systemd is waiting for, with its time, when that is the newest on the console. */
  readonly waitingFor: () => string | null;
  /** The last lines, for a person. */
  readonly evidence: (count: number) => readonly string[];
  /** Any text of the system itself, after the boot loader, has come. */
  readonly systemSpoke: () => boolean;
};

const keptLines = 2000;
/** Lines by which one port may be ahead of the other. */
const repeatedWithin = 40;
/** Resets or kernels after which it is a loop: SELinux relabels and first boots restart once. */
const loopAfter = 3;

/** Boot code that prints nothing, and loaders that stand still, are not waited for without end. */
const silentFirmware = 60;
const silentLoader = 120;
/** Time in which a getty that was not announced would have written its prompt. */
const silentTarget = 20;
const silentGetty = 45;

const after = (one: BootStage, other: BootStage | null): boolean =>
  other === null || bootStages.indexOf(one) > bootStages.indexOf(other);

/** A loader that writes to the screen and to the port is heard twice on EDK2's port. */
const doubled = /^(.{6,})\1$/;
const startJob = /A start job is running for (.*)$/;
const failedUnit = /^\[FAILED\] Failed to (?:start|mount|listen on|activate swap) (.*?)\.?$/;
const trouble = /^\[ ?(?:FAILED|DEPEND|TIME) ?\] /;
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

export const bootConsole = (): BootConsole => {
  const input = { firmware: consoleLines(), system: consoleLines() };
  /** What came on one port and was not yet repeated on the other. */
  const told: Record<Channel, string[]> = { firmware: [], system: [] };
  const stages: PassedStage[] = [];
  const failed = new Set<string>();
  let lines: string[] = [];
  let stage: BootStage | null = null;
  let failure: Found | null = null;
  let kernels = 0;
  let resets = 0;
  let sawStatus = false;
  let sawGetty = false;
  let spoke = false;

  const reach = (next: BootStage, seconds: number): void => {
    if (!after(next, stage)) return;
    stage = next;
    stages.push({ stage: next, seconds });
    if (next === 'root-mounted') failed.clear();
    if (failure !== null && !isFinal(failure) && after(next, failure.mark.stage)) failure = null;
  };
  /** EDK2, and loaders that were told to, write the same to both ports. */
  const isRepeated = (line: string, channel: Channel): boolean => {
    const here = told[channel];
    const there = told[channel === 'system' ? 'firmware' : 'system'];
    const at = there.indexOf(line);
    if (at >= 0) there.splice(0, at + 1);
    else here.push(line);
    if (here.length > repeatedWithin) here.shift();
    return at >= 0;
  };
  const takeLine = (line: string, seconds: number): void => {
    // A line that is drawn over itself again and again would push out everything else.
    if (startJob.test(line) && startJob.test(lines.at(-1) ?? '')) lines.pop();
    if (line !== lines.at(-1)) lines.push(line);
    if (lines.length > keptLines) lines = lines.slice(-keptLines / 2);
    if (isKernelStart(line)) {
      kernels += 1;
      if (kernels > 1) stage = 'boot-loader';
    }
    const mark = stageOf(line);
    if (mark !== null) reach(mark, seconds);
    if (mark === 'kernel' || (mark !== null && after(mark, 'kernel'))) spoke = true;
    sawStatus ||= statusLine.test(line);
    sawGetty ||= getty.test(line);
    const unit = failedUnit.exec(line)?.[1];
    if (unit !== undefined) failed.add(unitName(unit));
    const found = find(lineMarks, line, lines);
    if (found !== null && (failure === null || !isFinal(failure))) failure = found;
  };
  const failedAs = ({ mark, match }: Found): Judgement => ({
    outcome: 'failed',
    stage: failedStage(mark.stage),
    cause: mark.cause(match, lines) ?? '',
    silence: mark.silence,
  });
  const failedStage = (at: BootStage): BootStage => {
    // In an initramfs that runs systemd its emergency mode looks like the system's own.
    if (at === 'root-mounted' && stage === 'initramfs') return 'initramfs';
    return stage !== null && after(stage, at) ? stage : at;
  };
  const isLogin = (): boolean => stage === 'login' || stageOf(input.system.last()) === 'login';
  const isLoading = (): boolean => stage === null || after('kernel', stage);
  /** What stands unfinished on either port; of the screen only while the loader has it. */
  const prompts = (): readonly string[] => {
    return [input.system.last(), ...(isLoading() ? [input.firmware.last()] : [])];
  };
  const findPrompt = (): Found | null => {
    for (const text of prompts()) {
      const found = find(promptMarks, text, lines);
      if (found !== null) return found;
    }
    return null;
  };
  const loaderStopped = (): Judgement => {
    const error = grubError(lines);
    return {
      outcome: 'failed',
      stage: 'boot-loader',
      cause:
        error === null
          ? 'The boot loader stood still.'
          : `The boot loader stood still after an error: ${error}`,
      silence: silentLoader,
    };
  };
  const judgeSilence = (): Judgement | null => {
    const stopped = (at: BootStage, cause: string, silence: number): Judgement => ({
      outcome: 'failed',
      stage: at,
      cause,
      silence,
    });
    switch (stage) {
      case null:
        return stopped('firmware', 'The firmware wrote nothing.', silentFirmware);
      case 'firmware':
        return stopped(
          'firmware',
          'The firmware started the disk’s boot code, and then nothing came any more.',
          silentFirmware,
        );
      case 'boot-loader':
        return loaderStopped();
      case 'default-target':
        return sawGetty
          ? stopped(stage, 'The login service was started, but no prompt came.', silentGetty)
          : { outcome: 'passed', by: 'default-target', silence: silentTarget };
      default:
        return null;
    }
  };
  return {
    push: (chunk, seconds, channel = 'system') => {
      for (const line of input[channel].push(chunk)) {
        const once = doubled.exec(line)?.[1] ?? line;
        if (!isRepeated(once, channel)) takeLine(once, seconds);
      }
      // Its first sector writes this, and the line is never ended when the rest does not come up.
      if (/^GRUB\b/.test(input[channel].last())) reach('boot-loader', seconds);
    },
    reach,
    restarted: () => {
      resets += 1;
      stage = null;
    },
    judge: () => {
      if (failure !== null && isFinal(failure)) return failedAs(failure);
      if (resets >= loopAfter || kernels >= loopAfter) {
        const last = stages.at(-1)?.stage ?? 'firmware';
        return {
          outcome: 'failed',
          stage: last,
          cause: 'It restarts again and again.',
          silence: 0,
        };
      }
      if (isLogin()) {
        const settled = !sawStatus || stages.some((one) => one.stage === 'default-target');
        return { outcome: 'passed', by: 'login', silence: settled ? 1 : 3 };
      }
      const prompt = findPrompt();
      if (prompt !== null) return failedAs(prompt);
      return failure === null ? judgeSilence() : failedAs(failure);
    },
    stage: () => stage,
    stages: () => stages,
    failedUnits: () => [...failed],
    waitingFor: () =>
      lines
        .slice(-5)
        .map((line) => startJob.exec(line)?.[1])
        .findLast((what) => what !== undefined) ?? null,
    evidence: (count) => {
      const all = [...lines, ...prompts()].filter(
        (line, index, every) => line !== '' && line !== every[index - 1],
      );
      // Behind a panic come its registers, and behind an emergency what is stopped.
      const at =
        failure === null
          ? all.findLastIndex((line) => stageOf(line) === 'login')
          : all.indexOf(failure.line);
      const end = at < 0 ? all.length : at + 1;
      const begin = Math.max(end - count, 0);
      return [
        ...all.slice(0, begin).filter((line) => trouble.test(line)),
        ...all.slice(begin, end),
      ];
    },
    systemSpoke: () => spoke,
  };
};
