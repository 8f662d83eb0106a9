import { posix } from 'node:path';
import type { Change } from '../../changes/change.ts';
import { espsOf } from '../../diagnosis/boot-loader/esp.ts';
import { lacking, needWords } from '../../diagnosis/kernel/initramfs.ts';
import { type StartedKernel, startedKernels } from '../../diagnosis/kernel/started-kernels.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { readInitramfs } from '../../system-image/initramfs.ts';
import { modulesDirectory } from '../../system-image/kernel-modules.ts';
import { systemFiles } from '../../system-image/system-files.ts';
import { isMicrocode } from '../boot-loader/entry-words.ts';

const megabyte = 1024 * 1024;

/**
 * Why an initramfs that was made on the workbench is not to be used, in words; null when it is good.
 *
 * @param from where it lies on this host.
 */
export const initramfsProblem = async (
  subject: Subject,
  kernel: StartedKernel,
  from: string,
): Promise<string | null> => {
  const files = systemFiles(subject.host.files, posix.dirname(from));
  const made = await readInitramfs(subject.host, files, `/${posix.basename(from)}`);
  if (made.kind === 'damaged') return `it is damaged: ${made.reason}`;
  if (made.kind === 'not-read') return null;
  const { certain } = await lacking(subject, kernel, made.names);
  if (certain.length > 0) return `it lacks ${needWords(certain)}`;
  const isEncrypted = subject.facts.crypttab.length > 0 && made.names.has('usr/sbin/cryptsetup');
  // Without a device to look at, its hook leaves out which container to open.
  return isEncrypted && !made.names.has('cryptroot/crypttab') && made.names.has('scripts/local')
    ? 'it does not know which encrypted volume to open'
    : null;
};

/**
 * Why there is no room for it, in words; null when there is.
 *
 * @param path where it is to be in the system.
 * @param from where it lies on this host.
 */
export const roomProblem = async (
  { host, files, root }: Subject,
  path: string,
  from: string,
): Promise<string | null> => {
  const directory = await files.locate(posix.dirname(path));
  const size = (await host.files.status(from))?.sizeBytes ?? 0;
  const free = await host.files.freeBytes(directory?.hostPath ?? root);
  // The old one stays until the new one is whole.
  if (free > size + megabyte) return null;
  const [needed, there] = [size, free].map((bytes) => Math.ceil(bytes / megabyte));
  return `it needs ${needed} MiB in ${posix.dirname(path)}, and only ${there} MiB are free there`;
};

/** What an upgrade keeps beside the new one is the old one, which was not made on the workbench. */
const isKept = (name: string): boolean => /\.(?:bak|old|old-dkms|dpkg-\w+)$/.test(name);

const isInitramfs = (path: string): boolean => {
  const name = posix.basename(path);
  return /^init(?:rd|ramfs)(?:[-.]|$)/.test(name) && !isKept(name) && !isMicrocode(name);
};

/** The kernel that an initramfs is for: as a menu says, else by its name or that of its directory. */
const kernelFor = async (subject: Subject, path: string): Promise<StartedKernel | null> => {
  const started = (await startedKernels(subject)).find(({ initrds }) =>
    initrds.some((initrd) => initrd.path === path),
  );
  if (started !== undefined) return started;
  const known = subject.facts.kernels.find(({ initramfs }) => initramfs === path);
  const named = /^init(?:rd|ramfs)(?:\.img)?-(.+?)(?:\.img)?$/.exec(posix.basename(path))?.[1];
  const versions = [known?.version, named, posix.basename(posix.dirname(path))];
  for (const version of versions.filter((one) => one !== undefined)) {
    if ((await modulesDirectory(subject.files, version)) === null) continue;
    const initrds = [{ name: posix.basename(path), path }];
    return { image: known?.image ?? path, version, initrds, options: null, entry: null };
  }
  return null;
};

const oneProblem = async (subject: Subject, path: string, from: string): Promise<string | null> => {
  if ((await subject.host.files.status(from))?.kind !== 'file') return null;
  const kernel = await kernelFor(subject, path);
  if (kernel === null) return 'it cannot be told for which kernel it is';
  return (await initramfsProblem(subject, kernel, from)) ?? roomProblem(subject, path, from);
};

/**
 * Why what the system's own programs did below /boot on the workbench is not to be taken over, as a
 * sentence; null when it is good. They do not see the system's disks there: an initramfs may be made
 * without what the root needs, and a menu without the root's name.
 */
export const bootFilesProblem = async (
  subject: Subject,
  changes: readonly Change[],
): Promise<string | null> => {
  const esps = (await espsOf(subject)).flatMap(({ mountedAt }) => mountedAt ?? []);
  const places = ['/boot', '/efi', ...esps];
  for (const change of changes) {
    if (change.kind !== 'copy-entry') continue;
    const { path, from } = change;
    if (!places.some((place) => path.startsWith(`${place}/`))) continue;
    if (/\/grub2?\/grub\.cfg$/.test(path)) {
      return `${path} was made anew where the disks cannot be seen that it has to name.`;
    }
    const problem = isInitramfs(path) ? await oneProblem(subject, path, from) : null;
    if (problem !== null) return `${path} was made anew, but ${problem}.`;
  }
  return null;
};
