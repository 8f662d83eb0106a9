import type { Host } from '../../host/host.ts';
import { type BootEntry, findBootEntries } from '../../system-image/boot-entry.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import type { OwnKernel } from './vm-request.ts';

/** Bytes; larger ones are damage, and would fill the rescue host. */
const maxKernel = 256 * 1024 * 1024;
const maxInitramfs = 1024 * 1024 * 1024;

/** A unified kernel image is an EFI program that QEMU does not start as a kernel. */
const isPlainKernel = ({ kernelPath }: BootEntry): boolean =>
  kernelPath !== null && !/\.efi$/i.test(kernelPath);

const copyInto = async (
  host: Host,
  files: SystemFiles,
  path: string,
  maxBytes: number,
  to: string,
): Promise<string | null> => {
  const found = await files.locate(path);
  const { kind, sizeBytes } = found?.status ?? {};
  if (found === null || kind !== 'file' || sizeBytes === undefined) return null;
  if (sizeBytes === 0 || sizeBytes > maxBytes) return null;
  await host.files.copy(found.hostPath, to);
  return to;
};

/** Microcode comes before the initramfs, which is the last one. */
const initramfsOf = ({ initrdPaths }: BootEntry): string | null =>
  initrdPaths.findLast((path) => path !== null && !/ucode/.test(path)) ?? null;

/**
 * Copies what the default entry of the system's boot loader starts, for a run of its own kernel.
 *
 * @param files the mounted system, with `/boot` and the EFI system partition below it.
 * @param directory where the copies go, about 100 MB; they are the caller's to remove.
 * @returns null when there is no entry, or its kernel or initramfs is not there or not plain.
 */
export const takeOwnKernel = async (
  host: Host,
  files: SystemFiles,
  directory: string,
): Promise<OwnKernel | null> => {
  const entry = (await findBootEntries(files)).find(({ isDefault }) => isDefault);
  if (entry === undefined || entry.kernelPath === null || !isPlainKernel(entry)) return null;
  const kernel = await copyInto(host, files, entry.kernelPath, maxKernel, `${directory}/kernel`);
  const named = initramfsOf(entry);
  const initramfs =
    named === null
      ? null
      : await copyInto(host, files, named, maxInitramfs, `${directory}/initramfs`);
  // A start without the initramfs that the entry names would be another start.
  if (kernel === null || (initramfs === null && entry.initrds.length > 0)) return null;
  return { kernel, initramfs, commandLine: entry.options };
};
