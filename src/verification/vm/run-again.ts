import { RescueError } from '../../host/rescue-error.ts';
import type { Accelerator, BootStage } from '../proof.ts';
import type { RunResult } from './run-machine.ts';

/**
 * Panics of the emulation and not of the system: on a busy host the emulated timer does not tick
 * while the kernel counts its ticks (arch/x86/kernel/apic/io_apic.c, check_timer).
 */
const emulationFailed = /IO-APIC \+ timer doesn't work/;
const tries = 3;

/**
 * From here on a system gives up by the clock, which goes on while the machine has no processor:
 * the initramfs after 30 s or 180 s, systemd 90 s after it began to wait for a device.
 */
const byTheClock: ReadonlySet<BootStage> = new Set([
  ...(['initramfs', 'root-mounted', 'default-target', 'login'] as const),
]);
/**
 * Two machines on two processors wait for a third to a half of their time, and boot. At ten times
 * the work that there are processors for, 90 s of the clock are 9 s of the machine's.
 */
const starved = 0.8;
/** A boot takes minutes there: once more, and no third time. */
const starvedTries = 2;

const isStarved = ({ run, starvedShare, bySilence }: RunResult): boolean =>
  !run.passed &&
  starvedShare > starved &&
  (bySilence || byTheClock.has(run.stoppedAt ?? 'firmware'));

/** Until userland all that is heard of a machine may be made by a KVM that does not work. */
const beforeUserland: ReadonlySet<BootStage> = new Set([
  ...(['firmware', 'boot-loader', 'kernel'] as const),
]);

/** Nothing was said that a system could have said: a kernel that hangs behind a broken KVM looks so. */
const isDoubtful = ({ run, silent, bySilence, byProcessor }: RunResult): boolean =>
  !run.passed &&
  !silent &&
  (bySilence || byProcessor) &&
  beforeUserland.has(run.stoppedAt ?? 'firmware');

const unreliable = (what: string): RescueError =>
  new RescueError({
    code: 'VM_UNRELIABLE',
    message: `The virtual machine ${what} because it gets too little processor time here.`,
    hint: 'Run it again when this machine is less busy. Nothing is said about the system.',
  });

/**
 * Starts again when the emulation failed, or had hardly any processor time, because that says
 * nothing of the system. What only silence under KVM speaks against is started once more in software
 * emulation, whose verdict counts.
 *
 * @throws RescueError `VM_UNRELIABLE` when it is so each time.
 */
export const untilSound = async (
  accelerator: Accelerator,
  run: (accelerator: Accelerator) => Promise<RunResult>,
): Promise<RunResult> => {
  let used = accelerator;
  for (let count = 1; ; count += 1) {
    const result = await run(used);
    if (used === 'kvm' && isDoubtful(result)) {
      used = 'tcg';
      count = 0;
    } else if (emulationFailed.test(result.run.cause ?? '')) {
      if (count >= tries) throw unreliable(`failed ${tries} times`);
    } else if (isStarved(result)) {
      if (count >= starvedTries) throw unreliable('gave up waiting');
    } else {
      return result;
    }
  }
};
