import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { z } from 'zod';
import { RescueError } from '../../host/rescue-error.ts';
import { interruptedError } from '../../host/run-command.ts';
import { type BootStage, bootStages } from '../proof.ts';
import { type Answers, answering } from './answers.ts';
import { type BootConsole, bootConsole } from './console/boot-console.ts';
import type { Judgement } from './console/judgement.ts';
import type { Machine, MachineEvents, MachineLoad } from './machine.ts';

/** Why watching ended. */
export type BootEnd =
  | { readonly kind: 'judged'; readonly judgement: Judgement }
  /**
   * The time limit, with nothing certain; `silentSeconds` since the console last said something.
   * The processors were still at work, or had nothing to do.
   */
  | { readonly kind: 'time'; readonly silentSeconds: number; readonly working: boolean }
  /** A silent system came to rest: its kernel runs, and its processors have nothing to do. */
  | { readonly kind: 'rest' }
  /** Before any kernel was seen the processor stopped for good. */
  | { readonly kind: 'halted' }
  | { readonly kind: 'powered-off' }
  /** The overlay could not grow: the scratch directory is full. */
  | { readonly kind: 'storage-full' };

export type WatchLimits = {
  readonly seconds: number;
  /** Up to here a boot may go on that still gets on, on a host that is slow at the moment. */
  readonly mostSeconds: number;
  /**
   * Seconds after the kernel's start by which a silent system is looked at as it is; null for a
   * system that is expected to use the serial console.
   */
  readonly restSeconds: number | null;
  /** The picture is taken as soon as the processors have nothing to do. */
  readonly untilRest: boolean;
  /** Only the kernel writes to the serial console: with its silence nothing more is to come. */
  readonly kernelOnly: boolean;
};

export type BootWatch = MachineEvents & {
  readonly console: BootConsole;
  readonly seconds: () => number;
  /** Waits for the end. Rejects when QEMU fails or the signal is aborted. */
  readonly end: (machine: Machine, signal: AbortSignal | undefined) => Promise<BootEnd>;
};

/** Time in which QEMU's last events are read after its end. */
const eventMilliseconds = 1000;

const endedFromOutside = (): RescueError =>
  new RescueError({
    code: 'VM_ENDED',
    message: 'QEMU was ended while the boot was watched, and not by the system in it.',
    hint: 'Look who ends processes here (dmesg: out of memory), and run it again.',
  });

/** Milliseconds between looks at the processors; the console itself is an event. */
const lookEvery = 1500;
/** Seconds since the last text within which a boot counts as getting on. */
const goingOn = 15;
/** Seconds of silence after which a kernel that alone writes has written all. */
const kernelThrough = 20;
/**
 * Seconds after a question that has no answer: where it is about a volume with `nofail`, the boot
 * goes on behind it, and a quiet one says nothing until its login.
 */
const goesOnWithout = 45;
/** Looks in a row without work that make rest, and the share of a core below which it is none. */
const restLooks = 4;
const restShare = 0.15;
/** Looks in a row that show it, for one may fall between two instructions. */
const haltedLooks = 3;

const isAtLeast = (stage: BootStage | null, least: BootStage): boolean =>
  stage !== null && bootStages.indexOf(stage) >= bootStages.indexOf(least);

const resetSchema = z.object({ guest: z.boolean(), reason: z.string().optional() });
const ioErrorSchema = z.object({ nospace: z.boolean().default(false) });

/**
 * Tells rest from work by the time for which QEMU has work, whether or not it got a processor for
 * it: a machine that gets no time on a busy host is not at rest.
 */
const restMeter = () => {
  let before: { readonly busy: number; readonly at: number } | null = null;
  let quiet = 0;
  return (load: MachineLoad | null): boolean => {
    if (load === null) return false;
    const busy = load.worked + load.waited;
    const at = performance.now() / 1000;
    if (before !== null) {
      const share = (busy - before.busy) / (at - before.at);
      quiet = share < restShare ? quiet + 1 : 0;
    }
    before = { busy, at };
    return quiet >= restLooks;
  };
};

/**
 * Watches one boot until a verdict is certain: each judgement says how long the console must stay
 * silent for it, and anything new begins that time again.
 */
export const watchBoot = (
  limits: WatchLimits,
  target: string | null,
  answers: Answers,
  onStage: (stage: BootStage, seconds: number) => void,
): BootWatch => {
  const console = bootConsole(target);
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const isAtRest = restMeter();
  let lastText = 0;
  let told = 0;
  let halted = 0;
  let rests = false;
  let kernelAt: number | null = null;
  let silence: NodeJS.Timeout | undefined;
  let type: ((text: string) => void) | null = null;
  const replies = answering(answers, console);
  const { promise: finished, resolve: finish, reject: fail } = Promise.withResolvers<BootEnd>();

  const tell = (): void => {
    for (const { stage, seconds: at } of console.stages().slice(told)) onStage(stage, at);
    told = console.stages().length;
    if (isAtLeast(console.stage(), 'kernel')) kernelAt ??= seconds();
  };
  /** Answers a question; with the end of its line it is over, and something new is waited for. */
  const answered = (judgement: Judgement): boolean => {
    if (judgement.outcome !== 'not-judged' || judgement.asks === null || type === null)
      return false;
    const text = replies.next(judgement.asks, console.stage());
    if (text === null) return false;
    console.answered(text);
    type(`${text}\r`);
    return true;
  };
  /** Seconds of silence that make a judgement certain. */
  const silenceFor = (judgement: Judgement): number =>
    judgement.outcome === 'not-judged' && judgement.asks !== null && !replies.has(judgement.asks)
      ? goesOnWithout
      : judgement.silence;
  const consider = (): void => {
    clearTimeout(silence);
    const judgement = console.judge();
    if (judgement === null) return;
    silence = setTimeout(() => {
      if (answered(judgement)) return;
      if (judgement.outcome === 'passed') console.reach(judgement.by, seconds());
      tell();
      finish({ kind: 'judged', judgement: replies.judged(judgement) });
    }, silenceFor(judgement) * 1000);
  };
  /** Of what a system writes nothing comes here, or nothing more. */
  const isUnheard = (): boolean =>
    limits.kernelOnly
      ? !isAtLeast(console.stage(), 'login') && seconds() - lastText > kernelThrough
      : !console.systemSpoke();
  const look = async (machine: Machine): Promise<void> => {
    rests = isAtRest(await machine.load());
    if (!isAtLeast(console.stage(), 'kernel')) {
      const state = await machine.processor();
      halted = state === 'halted' ? halted + 1 : 0;
      if (halted >= haltedLooks) finish({ kind: 'halted' });
      if (state === 'firmware-or-loader' || state === 'halted') return;
      console.reach('kernel', seconds());
      tell();
      consider();
    } else if (limits.restSeconds !== null && isUnheard() && kernelAt !== null) {
      const since = seconds() - kernelAt;
      if ((rests && limits.untilRest && since > 5) || since > limits.restSeconds)
        finish({ kind: 'rest' });
    }
  };
  return {
    console,
    seconds,
    onText: (text, channel) => {
      lastText = seconds();
      console.push(text, lastText, channel);
      tell();
      consider();
    },
    onEvent: ({ event, data }) => {
      if (event === 'RESET' && resetSchema.safeParse(data).data?.guest === true) {
        console.restarted();
        replies.restarted();
        kernelAt = null;
        consider();
      } else if (event === 'SHUTDOWN' && resetSchema.safeParse(data).data?.guest === true) {
        finish({ kind: 'powered-off' });
      } else if (event === 'BLOCK_IO_ERROR' && ioErrorSchema.safeParse(data).data?.nospace) {
        finish({ kind: 'storage-full' });
      }
    },
    end: async (machine, signal) => {
      type = machine.type;
      let limit: NodeJS.Timeout | undefined;
      const atLimit = (): void => {
        const getsOn = seconds() - lastText < goingOn && console.waitingFor() === null;
        if (getsOn && seconds() < limits.mostSeconds) {
          limit = setTimeout(atLimit, goingOn * 1000);
          return;
        }
        // What only other noise kept from being certain is the verdict then.
        const judgement = console.judge() ?? replies.pending();
        finish(
          judgement !== null && (!judgement.bySilence || judgement.outcome === 'not-judged')
            ? { kind: 'judged', judgement: replies.judged(judgement) }
            : { kind: 'time', silentSeconds: seconds() - lastText, working: !rests },
        );
      };
      limit = setTimeout(atLimit, limits.seconds * 1000);
      let looking = false;
      const looks = setInterval(() => {
        if (looking) return;
        looking = true;
        look(machine)
          // The monitor is gone when QEMU has ended, which `ended` tells.
          .catch(() => {})
          .finally(() => {
            looking = false;
          });
      }, lookEvery);
      consider();
      const abort = () => fail(interruptedError());
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
      const ended = machine.ended.then(async (): Promise<BootEnd> => {
        // That the guest has switched itself off was told before, but maybe not heard yet.
        await Promise.race([finished, setTimeoutPromise(eventMilliseconds)]);
        throw endedFromOutside();
      });
      try {
        return await Promise.race([finished, ended]);
      } finally {
        signal?.removeEventListener('abort', abort);
        clearTimeout(limit);
        clearTimeout(silence);
        clearInterval(looks);
      }
    },
  };
};
