import type { Host } from '../../host/host.ts';
import { RescueError } from '../../host/rescue-error.ts';
import type { Accelerator, BootRun, BootStage, Firmware } from '../proof.ts';
import { findUefi } from './firmware-files.ts';
import { type MachineLoad, startMachine } from './machine.ts';
import type { MachinePlan, MachineUefi } from './machine-arguments.ts';
import { makeOverlays } from './overlays.ts';
import { type EnteredProgram, withEntry } from './uefi-variables.ts';
import type { OwnKernel, VmRequest } from './vm-request.ts';
import {
  type BootEnd,
  type BootWatch,
  isBySpokenWord,
  type WatchLimits,
  watchBoot,
} from './watch-boot.ts';

/** One start of the machine, as it is to be. */
export type RunPlan = {
  readonly name: string;
  readonly firmware: Firmware;
  readonly accelerator: Accelerator;
  readonly kernel: OwnKernel | null;
  readonly screen: boolean;
  /** Whether the system is known to write to the serial line. */
  readonly serial: 'yes' | 'no' | 'unknown';
  /** What UEFI finds entered, for disks that it starts nothing from otherwise. */
  readonly entered: EnteredProgram | null;
};

/** A run with what decides about further ones. */
export type RunResult = {
  readonly run: BootRun;
  readonly failedUnits: readonly string[];
  /** The kernel was started and wrote nothing to the serial line. */
  readonly silent: boolean;
  /** Share of the time with work in which the machine had no processor to do it, 0 to 1. */
  readonly starvedShare: number;
  /** The verdict is that nothing came within a time, and not that something was said. */
  readonly bySilence: boolean;
};

/** Seconds for a boot; software emulation is about ten times slower, and devices are waited for. */
const limitSeconds: Readonly<Record<Accelerator, number>> = { kvm: 240, tcg: 420 };
/** Seconds from the kernel's start to the picture of a silent system that does not come to rest. */
const restSeconds: Readonly<Record<Accelerator, number>> = { kvm: 30, tcg: 90 };
/** The same where it is not known whether it is silent, or only not that far yet. */
const unknownSeconds: Readonly<Record<Accelerator, number>> = { kvm: 60, tcg: 150 };
const evidenceLines = 15;
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

const limitsOf = ({ timeoutSeconds }: VmRequest, plan: RunPlan): WatchLimits => {
  const rest = {
    yes: null,
    no: restSeconds[plan.accelerator],
    unknown: unknownSeconds[plan.accelerator],
  };
  return {
    seconds: timeoutSeconds ?? limitSeconds[plan.accelerator],
    // A limit that a person has set is one.
    mostSeconds: timeoutSeconds ?? 2 * limitSeconds[plan.accelerator],
    restSeconds: rest[plan.serial],
    untilRest: plan.serial === 'no',
  };
};

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

/** Why a boot without a verdict of the console did not succeed. */
const causeOf = (end: BootEnd, watch: BootWatch): string => {
  const where = stageWords[watch.console.stage() ?? 'firmware'];
  const waiting = watch.console.waitingFor();
  switch (end.kind) {
    case 'judged':
      return end.judgement.outcome === 'failed' ? end.judgement.cause : '';
    case 'powered-off':
      return `The machine was switched off by itself in ${where}.`;
    case 'rest':
      return 'The system writes nothing to the serial console.';
    case 'halted':
      return haltedCause(watch.console.stage());
    case 'storage-full':
      return 'The scratch directory is full.';
    case 'time':
      if (waiting !== null)
        return `It still waits for ${waiting} after ${seconds(watch.seconds())}.`;
      return end.silentSeconds < 15
        ? `It was not through after ${seconds(watch.seconds())}, and still going on in ${where}: a longer limit may show more.`
        : `It hung in ${where}: no end after ${seconds(watch.seconds())}, nothing new for ${seconds(end.silentSeconds)}.`;
  }
};

const storageFull = (directory: string): RescueError =>
  new RescueError({
    code: 'SCRATCH_FULL',
    message: `${directory} is full: what the virtual machine writes has no more room.`,
    hint: 'Free some space there, or choose another place with --state-dir. The disk is unchanged.',
  });

const stageOfEnd = (end: BootEnd, watch: BootWatch): BootStage => {
  const stage = watch.console.stage() ?? 'firmware';
  if (end.kind === 'judged' && end.judgement.outcome === 'failed') return end.judgement.stage;
  // Loaders wait for keys; what stops the processor is a kernel that cannot unpack itself.
  return end.kind === 'halted' && stage === 'boot-loader' ? 'kernel' : stage;
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
  const boots = end.kind === 'judged' && end.judgement.outcome === 'passed';
  const silent = end.kind === 'rest' || (end.kind === 'time' && isSilent(watch));
  return {
    silent,
    starvedShare: starvedShare(load),
    bySilence: end.kind === 'time' || (end.kind === 'judged' && !isBySpokenWord(end.judgement)),
    failedUnits: console.failedUnits(),
    run: {
      start: plan.kernel === null ? 'disk' : 'kernel',
      firmware: plan.firmware,
      accelerator: plan.accelerator,
      passed: boots,
      seconds: watch.seconds(),
      stages: console.stages(),
      stoppedAt: boots ? null : stageOfEnd(end, watch),
      cause: boots ? null : causeOf(end, watch),
      evidence: console.evidence(evidenceLines),
      screen,
    },
  };
};

const isSilent = ({ console }: BootWatch): boolean =>
  console.stage() === 'kernel' && !console.systemSpoke();

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
    const watch = watchBoot(limitsOf(request, plan), request.target, (stage, at) =>
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
    if (end.kind === 'storage-full') throw storageFull(request.scratch);
    const screen = plan.screen ? await machine.picture(`${request.keep}/${plan.name}.png`) : null;
    return describe(plan, end, watch, { load, screen });
  } finally {
    await host.files.removeTree(directory);
  }
};
