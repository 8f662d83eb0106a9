import type { Host } from '../../host/host.ts';
import { RescueError } from '../../host/rescue-error.ts';
import type { Accelerator, BootRun, Firmware } from '../proof.ts';
import type { Answers } from './answers.ts';
import { isRestartCause } from './console/boot-console.ts';
import { findUefi } from './firmware-files.ts';
import { type MachineLoad, startMachine } from './machine.ts';
import type { MachinePlan, MachineUefi } from './machine-arguments.ts';
import { makeOverlays } from './overlays.ts';
import type { SerialUse } from './serial-console.ts';
import { type EnteredProgram, withEntry } from './uefi-variables.ts';
import { isSilent, verdictOf } from './verdict.ts';
import type { OwnKernel, VmRequest } from './vm-request.ts';
import { type BootEnd, type BootWatch, type WatchLimits, watchBoot } from './watch-boot.ts';

/** One start of the machine, as it is to be. */
export type RunPlan = {
  readonly name: string;
  readonly firmware: Firmware;
  readonly accelerator: Accelerator;
  readonly kernel: OwnKernel | null;
  readonly screen: boolean;
  /** What the system is known to write to the serial line. */
  readonly serial: SerialUse;
  /** What UEFI finds entered, for disks that it starts nothing from otherwise. */
  readonly entered: EnteredProgram | null;
};

/** A run with what decides about further ones. */
export type RunResult = {
  readonly run: BootRun;
  readonly failedUnits: readonly string[];
  /** The kernel was started, and what the system does then is not told on the serial line. */
  readonly silent: boolean;
  /** Share of the time with work in which the machine had no processor to do it, 0 to 1. */
  readonly starvedShare: number;
  /** The verdict is that nothing came within a time, and not that something was said. */
  readonly bySilence: boolean;
  /** It rests on what the processor did: it stopped, or the machine was reset again and again. */
  readonly byProcessor: boolean;
};

/** Seconds for a boot; software emulation is about ten times slower, and devices are waited for. */
const limitSeconds: Readonly<Record<Accelerator, number>> = { kvm: 240, tcg: 420 };
/** Seconds from the kernel's start to the picture of a silent system that does not come to rest. */
const restSeconds: Readonly<Record<Accelerator, number>> = { kvm: 30, tcg: 90 };
/** The same where it is not known whether it is silent, or only not that far yet. */
const unknownSeconds: Readonly<Record<Accelerator, number>> = { kvm: 60, tcg: 150 };
const evidenceLines = 15;
/** Bytes; QEMU writes up to two megabytes at once. */
const leastScratch = 4 * 1024 * 1024;
/** Bytes; flash images of EDK2 have 4 MiB together. */
const maxFlash = 4 * 1024 * 1024;

/** MiB: enough for the initramfs of a desktop, unless this machine has little itself. */
const memoryFor = async (host: Host): Promise<number> => {
  const text = (await host.files.readText('/proc/meminfo')) ?? '';
  const free = Number(/^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024;
  return free > 4096 ? 2048 : 1024;
};

const uefiIn = async (
  host: Host,
  directory: string,
  secure: boolean,
  entered: EnteredProgram | null,
): Promise<MachineUefi> => {
  const files = await findUefi(host, secure);
  const variables = `${directory}/variables.fd`;
  await host.files.copy(files.variables, variables);
  if (entered !== null) {
    const flash = withEntry(await host.files.readAt(variables, 0, maxFlash), entered);
    if (flash !== null) await host.files.writeBytes(variables, flash, 0o600);
  }
  return { code: files.code, variables, secure };
};

const machinePlan = async (
  host: Host,
  request: VmRequest,
  plan: RunPlan,
  directory: string,
): Promise<MachinePlan> => ({
  accelerator: plan.accelerator,
  // QEMU hands a kernel over without the shim that a signed one is trusted by.
  uefi:
    plan.firmware === 'uefi'
      ? await uefiIn(host, directory, request.secureBoot && plan.kernel === null, plan.entered)
      : null,
  disks: await makeOverlays(host, request.disks, directory),
  bus: request.bus,
  network: request.network,
  screen: plan.screen,
  memoryMebibytes: await memoryFor(host),
  kernel: plan.kernel,
});

/** Nothing is typed that could leave the machine. */
const answersOf = ({ passphrases, network }: VmRequest): Answers => ({
  passphrases: network ? [] : passphrases,
  withheld: network && passphrases.length > 0,
});

const limitsOf = ({ timeoutSeconds }: VmRequest, plan: RunPlan): WatchLimits => {
  const rest = {
    yes: null,
    kernel: unknownSeconds[plan.accelerator],
    no: restSeconds[plan.accelerator],
    unknown: unknownSeconds[plan.accelerator],
  };
  return {
    seconds: timeoutSeconds ?? limitSeconds[plan.accelerator],
    // A limit that a person has set is one.
    mostSeconds: timeoutSeconds ?? 2 * limitSeconds[plan.accelerator],
    restSeconds: rest[plan.serial],
    untilRest: plan.serial === 'no' || plan.serial === 'kernel',
    kernelOnly: plan.serial === 'kernel',
  };
};

const storageFull = (directory: string): RescueError =>
  new RescueError({
    code: 'SCRATCH_FULL',
    message: `${directory} is full: what the virtual machine writes has no more room.`,
    hint: 'Free some space there, or choose another place with --state-dir. The disk is unchanged.',
  });

/**
 * Not every device tells of it: what QEMU's NVMe cannot write is a read or write error in the
 * machine, and looks like a broken disk. A boot that passed had enough.
 */
const ranFull = async (host: Host, directory: string, end: BootEnd): Promise<boolean> => {
  if (end.kind === 'storage-full') return true;
  const passed = end.kind === 'judged' && end.judgement.outcome === 'passed';
  return !passed && (await host.files.freeBytes(directory)) < leastScratch;
};

const starvedShare = (load: MachineLoad | null): number =>
  load === null ? 0 : load.waited / Math.max(load.worked + load.waited, 1e-9);

const describe = (
  plan: RunPlan,
  end: BootEnd,
  watch: BootWatch,
  { load, screen }: { readonly load: MachineLoad | null; readonly screen: string | null },
): RunResult => {
  const { console } = watch;
  const { passed, stage, cause, notJudged } = verdictOf(end, watch);
  const judgement = end.kind === 'judged' ? end.judgement : null;
  return {
    // Of its own kernel, started with a serial console, silence is what it has to say.
    silent: plan.kernel === null && isSilent(end, watch, plan.serial),
    starvedShare: starvedShare(load),
    bySilence: end.kind === 'time' || judgement?.bySilence === true,
    byProcessor: end.kind === 'halted' || (cause !== null && isRestartCause(cause)),
    failedUnits: console.failedUnits(),
    run: {
      start: plan.kernel === null ? 'disk' : 'kernel',
      firmware: plan.firmware,
      accelerator: plan.accelerator,
      passed,
      seconds: watch.seconds(),
      stages: console.stages(),
      stoppedAt: stage,
      cause,
      notJudged,
      evidence: console.evidence(evidenceLines),
      screen,
    },
  };
};

/**
 * Boots once and watches until a verdict is certain. Everything that this takes lies in a directory
 * of its own, which is gone afterwards.
 *
 * @throws RescueError when QEMU cannot be started, `SCRATCH_FULL`, or `INTERRUPTED`.
 */
export const runMachine = async (
  host: Host,
  request: VmRequest,
  plan: RunPlan,
): Promise<RunResult> => {
  const directory = `${request.scratch}/${plan.name}`;
  await host.files.makeDirectory(directory, 0o700);
  try {
    const machineIs = await machinePlan(host, request, plan, directory);
    const limits = limitsOf(request, plan);
    const watch = watchBoot(limits, request.target, answersOf(request), (stage, at) =>
      request.onStage?.({
        start: plan.kernel === null ? 'disk' : 'kernel',
        firmware: plan.firmware,
        stage,
        seconds: at,
      }),
    );
    const signal = request.signal ?? new AbortController().signal;
    await using machine = await startMachine(host, machineIs, directory, signal, watch);
    const end = await watch.end(machine, request.signal);
    const load = await machine.load();
    if (await ranFull(host, request.scratch, end)) throw storageFull(request.scratch);
    const screen = plan.screen ? await machine.picture(`${request.keep}/${plan.name}.png`) : null;
    return describe(plan, end, watch, { load, screen });
  } finally {
    await host.files.removeTree(directory);
  }
};
