import type { CheckContext } from './file-system.ts';

const mebibyte = 1024 * 1024;

/** A name for a throwaway file of one device: unlike devices never share it. */
export const scratchPath = ({ scratchDirectory, device }: CheckContext, suffix: string): string =>
  `${scratchDirectory}/${device.replace(/^\/dev\//, '').replaceAll('/', '-')}.${suffix}`;

/**
 * Why a copy of `bytes` does not fit into the scratch directory, as a sentence; null when it fits.
 * 64 MiB are left over for the estimate's error and for the rescue host itself.
 */
export const lacksSpace = async (context: CheckContext, bytes: number): Promise<string | null> => {
  const free = await context.host.files.freeBytes(context.scratchDirectory);
  const needed = bytes + 64 * mebibyte;
  if (free >= needed) return null;
  const inMebibytes = (value: number) => `${Math.ceil(value / mebibyte)} MiB`;
  return `A copy of its metadata needs about ${inMebibytes(needed)}, and ${context.scratchDirectory} has ${inMebibytes(free)} free: free some space, or choose another place with --state-dir.`;
};

/** The words of a copying tool whose target is full; they differ from damage only in the text. */
export const saysFull = (stderr: string): boolean =>
  /No space left on device|error writing to target|File too large/i.test(stderr);
