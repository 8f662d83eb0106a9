import { RescueError } from '../../host/rescue-error.ts';
import type { RunResult } from './run-machine.ts';

/**
 * Panics of the emulation and not of the system: on a busy host the emulated timer does not tick
 * while the kernel counts its ticks (arch/x86/kernel/apic/io_apic.c, check_timer).
 */
const emulationFailed = /IO-APIC \+ timer doesn't work/;
const tries = 3;

/**
 * Starts again when the emulation failed, because that says nothing of the system.
 *
 * @throws RescueError `VM_UNRELIABLE` when it fails each time.
 */
export const untilSound = async (run: () => Promise<RunResult>): Promise<RunResult> => {
  for (let left = tries; left > 0; left -= 1) {
    const result = await run();
    if (!emulationFailed.test(result.run.cause ?? '')) return result;
  }
  throw new RescueError({
    code: 'VM_UNRELIABLE',
    message: `The virtual machine failed ${tries} times because it gets too little processor time here.`,
    hint: 'Run it again when this machine is less busy. Nothing is said about the system.',
  });
};
