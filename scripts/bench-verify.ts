// Measures how long a verdict takes about a disk that boots: in a container and in a virtual machine;
// see scripts/bench.
import { spawnSync } from 'node:child_process';
import { bootableImage } from '../fixtures/bootable/bootable-image.ts';
import { verifyDocumentSchema } from '../src/commands/verify.ts';
import { createHost } from '../src/host/host.ts';

export type Verdict = {
  /** From the start of the container or machine until it was certain. */
  readonly seconds: number;
  /** Of the whole command, with looking for the system, checking, and taking down. */
  readonly wallSeconds: number;
  /** `kvm` or `tcg`; null in a container. */
  readonly accelerator: string | null;
};

const verdict = (words: readonly string[]): Verdict => {
  const [program = '', ...args] = words;
  const began = performance.now();
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  const wallSeconds = (performance.now() - began) / 1000;
  const parsed = verifyDocumentSchema.safeParse(JSON.parse(stdout || 'null'));
  if (!parsed.success || !parsed.data.boots) {
    throw new Error(`${words.join(' ')} does not say that it boots: ${stdout}${stderr}`);
  }
  const { seconds, accelerator } = parsed.data;
  return { seconds, wallSeconds, accelerator };
};

/** One verdict of each kind about the same Debian 12. @param command the executable with its options. */
export const measureVerdicts = async (
  command: readonly string[],
): Promise<{ readonly container: Verdict; readonly vm: Verdict }> => {
  const [{ file }] = await bootableImage(createHost(), { suite: 'bookworm', loader: 'grub-bios' });
  const [program = '', ...options] = command;
  const words = [program, 'verify', file, '--json', ...options];
  return { container: verdict(words), vm: verdict([...words, '--vm']) };
};
