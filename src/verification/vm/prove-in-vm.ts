import { requirePrograms } from '../../host/capabilities.ts';
import type { Host } from '../../host/host.ts';
import { RescueError } from '../../host/rescue-error.ts';
import type { Accelerator, Firmware, Proof } from '../proof.ts';
import { chooseAccelerator } from './accelerator.ts';
import { combineRuns, type FirmwareResult } from './combine-runs.ts';
import { chooseFirmwares, enteredOn, readDiskStart } from './firmware-choice.ts';
import { planOverlays } from './overlays.ts';
import { untilSound } from './run-again.ts';
import { type RunPlan, type RunResult, runMachine } from './run-machine.ts';
import { consoleUse, withSerialConsole } from './serial-console.ts';
import type { EnteredProgram } from './uefi-variables.ts';
import type { VmRequest } from './vm-request.ts';

export type { OwnKernel, VmRequest } from './vm-request.ts';

/** Machines that the emulator of x86-64 runs. */
const startable: ReadonlySet<string> = new Set(['x86_64', 'i686', 'i586', 'i486', 'i386']);

const requireX86 = ({ architecture }: VmRequest): void => {
  if (architecture === null || startable.has(architecture)) return;
  throw new RescueError({
    code: 'VM_ARCHITECTURE',
    message: `The system is for ${architecture}; the virtual machine is an x86 one.`,
    hint: 'Prove it in a container: rescuekit verify without --vm.',
  });
};

const silentWithoutKernel =
  'The system tells nothing of its boot on the serial console, and no kernel was found that could be started with one (no boot entry, or a unified kernel image). Look at the picture of its screen, watch it in a container (verify without --vm, or --proof container), or give it console=ttyS0.';

/** A kernel is handed over without the shim that it is trusted by, so that start is without it. */
const withoutSecureBoot =
  'With Secure Boot its kernel was started, and what came then was not told on the serial console; its own kernel boots to the end, but was started without Secure Boot. Look at the picture of its screen, or give it console=ttyS0.';

/**
 * Boots by the disk's own loader, and where the system then says nothing on the serial line, once
 * more with its own kernel, initramfs and command line and a console there.
 */
const proveWith = async (
  host: Host,
  request: VmRequest,
  firmware: Firmware,
  accelerator: Accelerator,
  entered: EnteredProgram | null,
): Promise<FirmwareResult> => {
  const serial = consoleUse(request.ownKernel);
  const plan: RunPlan = {
    name: `${firmware}-disk`,
    firmware,
    accelerator,
    kernel: null,
    screen: serial !== 'yes',
    serial,
    entered,
  };
  const run = (wanted: RunPlan): Promise<RunResult> =>
    untilSound(wanted.accelerator, (used) =>
      runMachine(host, request, { ...wanted, accelerator: used }),
    );
  const results: RunResult[] = [];
  const start = async (wanted: RunPlan): Promise<RunResult> => {
    const result = await run(wanted);
    results.push(result);
    return result;
  };
  let last = await start(plan);
  if (plan.screen && ['firmware', 'boot-loader'].includes(last.run.stoppedAt ?? '')) {
    // A graphical menu shows its errors on the screen only; without an adapter they are text.
    last = await start({ ...plan, name: `${firmware}-text`, screen: false });
  }
  if (!last.silent) return { firmware, results, notJudged: null };
  if (request.ownKernel === null) return { firmware, results, notJudged: silentWithoutKernel };
  const kernel = withSerialConsole(request.ownKernel);
  const own = {
    ...plan,
    name: `${firmware}-kernel`,
    kernel,
    screen: false,
    serial: 'yes',
  } as const;
  const { passed } = (await start(own)).run;
  return { firmware, results, notJudged: passed && request.secureBoot ? withoutSecureBoot : null };
};

/**
 * Boots the very disks of a system in QEMU and watches it stage by stage. The disks are opened
 * read-only; what the system writes goes to an overlay that is thrown away.
 *
 * Nothing outside of `scratch`, `keep` and `machineFacts` is written. The caller has journalled
 * `stop-vm` and the scratch directory.
 *
 * @returns the verdict; a system that does not boot is a verdict and no error.
 * @throws RescueError `MISSING_PROGRAM`, `MISSING_FILES`, `VM_ARCHITECTURE`, `NO_DISK`,
 *   `VM_NOT_STARTED`, `VM_ENDED`, `VM_UNRELIABLE`, `SCRATCH_FULL`, `INTERRUPTED`, or `COMMAND_FAILED` with QEMU's words.
 */
export const proveInVm = async (host: Host, request: VmRequest): Promise<Proof> => {
  requireX86(request);
  await requirePrograms(host, ['qemu-system-x86_64', 'qemu-img']);
  // What is no disk is refused before anything is read.
  await planOverlays(host, request.disks, request.scratch);
  const disks = await Promise.all(request.disks.map((disk) => readDiskStart(host, disk)));
  const firmwares = chooseFirmwares(request, disks);
  const accelerator = await chooseAccelerator(
    host,
    request.ownKernel?.kernel ?? null,
    request.machineFacts,
  );
  const results: FirmwareResult[] = [];
  for (const firmware of firmwares) {
    results.push(await proveWith(host, request, firmware, accelerator, enteredOn(disks)));
  }
  return combineRuns(results, request);
};
