import { findBootEntries } from '../system-image/boot-entry.ts';
import type { SystemFacts } from '../system-image/system-facts.ts';
import type { SystemFiles } from '../system-image/system-files.ts';
import type { OwnKernel } from '../verification/vm/vm-request.ts';
import type { Session } from './session.ts';

/** What starts by itself when nobody touches a key. */
type Start = {
  readonly kernel: string;
  readonly initramfs: readonly string[];
  readonly commandLine: string;
};

const rootOf = (facts: SystemFacts): string | null => {
  const root = facts.fstab.find(({ target }) => target === '/');
  if (root === undefined) return null;
  const flags = root.options.find((option) => option.startsWith('subvol='));
  return `root=${root.spec} ro${flags === undefined ? '' : ` rootflags=${flags}`}`;
};

/** Without a menu that can be read: the newest kernel, and the root as fstab names it. */
const newestKernel = (facts: SystemFacts): Start | null => {
  const kernel = facts.kernels.find(({ image, initramfs }) => initramfs !== image);
  const commandLine = rootOf(facts);
  if (kernel === undefined || commandLine === null) return null;
  const { image, initramfs } = kernel;
  return { kernel: image, initramfs: initramfs === null ? [] : [initramfs], commandLine };
};

const defaultEntry = async (files: SystemFiles): Promise<Start | null> => {
  const entries = await findBootEntries(files);
  const entry = entries.find(({ isDefault }) => isDefault) ?? entries[0];
  if (entry === undefined || entry.kernelPath === null) return null;
  const initramfs = entry.initrdPaths.filter((path) => path !== null);
  if (initramfs.length < entry.initrds.length) return null;
  return { kernel: entry.kernelPath, initramfs, commandLine: entry.options };
};

const copyOut = async (
  session: Session,
  files: SystemFiles,
  paths: readonly string[],
  to: string,
): Promise<boolean> => {
  const found = await Promise.all(paths.map((path) => files.locate(path)));
  const sources = found.flatMap((one) => (one?.status.kind === 'file' ? [one.hostPath] : []));
  if (sources.length < paths.length) return false;
  // Several initramfs archives, one behind the other, are one to the kernel.
  const join = ['-c', 'out=$1; shift; cat -- "$@" > "$out"', 'join', to, ...sources];
  await session.host.run({ program: 'sh', args: join });
  return true;
};

/**
 * Copies the kernel and initramfs that the boot loader would start off the disk, with their command
 * line. For a second start of a system that says nothing on the serial line.
 *
 * @param directory of the session; its contents are the caller's to remove.
 * @returns null where nothing can be started so: no kernel, or one that is a program of UEFI.
 */
export const copyOwnKernel = async (
  session: Session,
  files: SystemFiles,
  facts: SystemFacts,
  directory: string,
): Promise<OwnKernel | null> => {
  const start = (await defaultEntry(files)) ?? newestKernel(facts);
  if (start === null) return null;
  const kernel = `${directory}/kernel`;
  const initramfs = `${directory}/initramfs`;
  if (!(await copyOut(session, files, [start.kernel], kernel))) return null;
  const has = start.initramfs.length > 0;
  if (has && !(await copyOut(session, files, start.initramfs, initramfs))) return null;
  return { kernel, initramfs: has ? initramfs : null, commandLine: start.commandLine };
};
