import type { Command } from '../../host/command.ts';
import type { Host } from '../../host/host.ts';
import { RescueError } from '../../host/rescue-error.ts';
import type { Step } from '../../host/step.ts';
import type { LayerMode, Secret } from '../layer.ts';
import type { LuksMetadata } from './luks-metadata.ts';

/** Eight key slots with Argon2 on a slow machine; cryptsetup tries them one after the other. */
const openSeconds = 600;

/** What is opened, and how it is called while the session lasts. */
export type LuksVolume = {
  /** Kernel node of the container. */
  readonly device: string;
  /** File or device of a detached header; null for the one on the device. */
  readonly header: string | null;
  readonly mapping: string;
};

/** The words of the command. The passphrase comes on standard input, never among the words. */
export const openWords = (
  { device, header, mapping }: LuksVolume,
  mode: LayerMode,
  secret: Secret | null,
): readonly string[] => [
  'cryptsetup',
  'open',
  '--type',
  'luks',
  ...(mode === 'read-only' ? ['--readonly'] : []),
  ...(header === null ? [] : ['--header', header]),
  '--key-file',
  // `-` takes standard input to its end, with no newline cut off and none added.
  secret?.kind === 'key-file' ? secret.path : '-',
  device,
  mapping,
];

/** A key that cryptsetup did not accept. */
const wrongKey = (device: string): RescueError =>
  new RescueError({
    code: 'WRONG_PASSPHRASE',
    message: `No key of ${device} is available with this passphrase or key file.`,
    hint: 'Check the passphrase (keyboard layout, trailing newline) or name the right key file.',
  });

const tooLittleMemory = (device: string, text: string): RescueError =>
  new RescueError({
    code: 'MEMORY',
    message: `The key of ${device} cannot be derived here: ${text}.`,
    hint: 'Stop other programs, add swap, or attach the disk to a machine with more memory.',
  });

/** cryptsetup(8), RETURN CODES. */
const failuresOf = (device: string): Command['failures'] => ({
  2: () => wrongKey(device),
  3: (words) => tooLittleMemory(device, words === '' ? 'out of memory' : words),
  5: (words) =>
    new RescueError({
      code: 'BUSY',
      message: `${device} cannot be opened, it is in use: ${words}`,
      hint: 'Look who has it: lsblk, rescuekit status',
    }),
});

/** The step that opens an encrypted volume. */
export const openLuks = (volume: LuksVolume, mode: LayerMode, secret: Secret): Step => {
  const { device, mapping } = volume;
  const [program = '', ...args] = openWords(volume, mode, secret);
  return {
    title: `Open the encrypted volume ${device}`,
    commands: [
      {
        program,
        args,
        timeoutSeconds: openSeconds,
        failures: failuresOf(device) ?? {},
        ...(secret.kind === 'passphrase' ? { input: secret.text } : {}),
      },
    ],
    why: 'What is in it can be seen only when it is open.',
    risk:
      mode === 'read-only'
        ? 'none: the device is write-protected'
        : 'none by itself; of a damaged LUKS2 header cryptsetup mends one copy from the other',
    undo: { kind: 'close-luks', mapping, device },
  };
};

/** Memory that can be had, in KiB, without swapping out others too hard; null when unknown. */
const availableKib = async (host: Host): Promise<number | null> => {
  const text = (await host.files.readText('/proc/meminfo')) ?? '';
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  const available = field('MemAvailable');
  return available === undefined ? null : Number(available) + Number(field('SwapFree') ?? 0);
};

/**
 * Argon2 takes up to 4 GiB for a moment. Without them cryptsetup fails with a bare "out of memory",
 * or the kernel kills it.
 *
 * @throws RescueError `MEMORY` when not one of the keys can be derived here.
 */
export const requireMemory = async (
  host: Host,
  device: string,
  { slots }: LuksMetadata,
): Promise<void> => {
  const needed = Math.min(...(slots ?? []).map(({ memoryKib }) => memoryKib));
  const available = await availableKib(host);
  if (available === null || !Number.isFinite(needed) || needed <= available) return;
  const mib = (kib: number) => `${Math.ceil(kib / 1024)} MiB`;
  throw tooLittleMemory(
    device,
    `its key derivation takes ${mib(needed)} of memory, and this machine has ${mib(available)} left`,
  );
};
