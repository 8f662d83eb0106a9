import { release } from 'node:os';
import type { Host } from '../../host/host.ts';
import { isInterruption, RescueError } from '../../host/rescue-error.ts';
import type { Accelerator } from '../proof.ts';
import { processorArguments } from './machine-arguments.ts';

/** Seconds; under a KVM that works a kernel is through in one or two. */
const trialLimit = 8;

/**
 * A kernel that is given nothing else finds no root, panics and resets, which ends QEMU: then
 * console and processor have worked. Behind a broken KVM it hangs before its first line.
 */
const runsUnderKvm = async (host: Host, kernel: string): Promise<boolean> => {
  try {
    const { stdout } = await host.run({
      program: 'qemu-system-x86_64',
      args: [
        ...['-machine', 'pc'],
        ...processorArguments('kvm'),
        ...['-m', '512', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
        ...['-kernel', kernel, '-append', 'console=ttyS0 panic=-1'],
        ...['-serial', 'stdio'],
      ],
      accept: [0, 1],
      timeoutSeconds: trialLimit,
      changes: false,
    });
    return stdout.includes('Kernel panic - not syncing');
  } catch (error) {
    if (isInterruption(error)) throw error;
    if (error instanceof RescueError && error.code !== 'MISSING_PROGRAM') return false;
    throw error;
  }
};

/** The kernel that this machine runs itself, where its file is readable. */
const hostKernel = async (host: Host): Promise<string | null> => {
  for (const path of [`/boot/vmlinuz-${release()}`, `/usr/lib/modules/${release()}/vmlinuz`]) {
    if ((await host.files.statusFollowed(path))?.kind === 'file') return path;
  }
  return null;
};

/**
 * KVM where it really runs a kernel, else software emulation. `/dev/kvm` alone says nothing: in
 * nested machines kernels are known to hang behind it. The answer is kept until this machine boots
 * again.
 *
 * @param kernel tried when the host's own kernel is not there; with none KVM is not trusted.
 * @param directory where the answer is kept
 */
export const chooseAccelerator = async (
  host: Host,
  kernel: string | null,
  directory: string,
): Promise<Accelerator> => {
  if ((await host.files.status('/dev/kvm')) === null) return 'tcg';
  const bootId = ((await host.files.readText('/proc/sys/kernel/random/boot_id')) ?? '').trim();
  const memo = `${directory}/accelerator`;
  const [kept, known] = ((await host.files.readText(memo)) ?? '').trim().split(' ');
  if (kept === bootId && (known === 'kvm' || known === 'tcg')) return known;
  const trial = (await hostKernel(host)) ?? kernel;
  // Not kept: the next system may bring a kernel to try.
  if (trial === null) return 'tcg';
  const found = (await runsUnderKvm(host, trial)) ? 'kvm' : 'tcg';
  await host.files.ensureDirectory(directory, 0o700);
  await host.files.writeText(memo, `${bootId} ${found}\n`, 0o600);
  return found;
};
