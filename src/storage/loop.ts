import { kernelName } from '../devices/kernel-name.ts';
import { findHolders, type Held } from '../host/holders.ts';
import type { Host } from '../host/host.ts';
import { readMounts } from '../host/mount-table.ts';
import { RescueError } from '../host/rescue-error.ts';
import type { Step } from '../host/step.ts';
import { gone, leftBusy, type UndoResult, undone } from '../host/undo-result.ts';
import { waitUntil } from '../host/wait.ts';
import type { LayerMode, Perform } from './layer.ts';

/** udev and its helpers open a device for a moment after each change; this long they may. */
const settleMilliseconds = 5000;

/**
 * With nobody to be found it is the kernel that holds it: the mount namespace of a program that has
 * just ended is taken down with its copies of the mounts one after the other, and before each of
 * them is written out what is not yet on its disk.
 */
const kernelMilliseconds = 60_000;

/** The file that a loop device shows, null when it shows none. */
export const loopBackingFile = async (host: Host, device: string): Promise<string | null> =>
  (await host.files.readText(`/sys/block/${kernelName(device)}/loop/backing_file`))?.trimEnd() ??
  null;

/**
 * The name of a loop device that is not in use. Named beforehand, and not by `losetup --find` at
 * the moment of attaching, because the journal must hold the name before the device is made.
 */
const freeLoopDevice = async (host: Host): Promise<string> => {
  const names = ((await host.files.list('/sys/block')) ?? []).filter((name) =>
    /^loop\d+$/.test(name),
  );
  const used = await Promise.all(names.map((name) => loopBackingFile(host, name)));
  const free = names.filter((_, index) => used[index] === null);
  const first = free.sort((a, b) => Number(a.slice(4)) - Number(b.slice(4)))[0];
  if (first !== undefined) return `/dev/${first}`;
  // All are taken: this asks the kernel to make one more (LOOP_CTL_GET_FREE).
  const { stdout } = await host.run({ program: 'losetup', args: ['--find'] });
  return stdout.trim();
};

const loopsOf = async (host: Host, file: string): Promise<readonly string[]> => {
  const names = ((await host.files.list('/sys/block')) ?? []).filter((name) =>
    /^loop\d+$/.test(name),
  );
  const found = await Promise.all(
    names.map(async (name) =>
      (await loopBackingFile(host, name)) === file ? [`/dev/${name}`] : [],
    ),
  );
  return found.flat();
};

type Part = Held & { readonly isPartOfAnother: boolean };

/** The device and its partitions, as /proc tells of them. */
const partsOf = async ({ files }: Host, loop: string): Promise<readonly Part[]> => {
  const name = kernelName(loop);
  const place = `/sys/block/${name}`;
  const partitions = ((await files.list(place)) ?? []).filter((entry) => entry.startsWith(name));
  return Promise.all(
    [place, ...partitions.map((partition) => `${place}/${partition}`)].map(async (each) => ({
      path: `/dev/${kernelName(each)}`,
      majorMinor: (await files.readText(`${each}/dev`))?.trim() ?? null,
      isPartOfAnother: ((await files.list(`${each}/holders`)) ?? []).length > 0,
    })),
  );
};

/** True when one of them is mounted here or is part of another block device. */
const areStoodOn = async ({ files }: Host, parts: readonly Part[]): Promise<boolean> => {
  const mounts = await readMounts(files);
  // btrfs is mounted under a number of its own, and under the name of one of its devices.
  const isMounted = ({ path, majorMinor }: Part) =>
    mounts.some((mount) => mount.majorMinor === majorMinor || mount.source === path);
  return parts.some((part) => part.isPartOfAnother || isMounted(part));
};

/**
 * A loop device that was detached while somebody held it still shows its file until that one lets
 * go (LOOP_CLR_FD only sets autoclear then): udev or another rescuekit that looks at all disks, or
 * a container that is just being started, whose mount namespace begins as a copy of the host's with
 * everything that was mounted at that moment. `mount -o loop` sets autoclear as well; such a one is
 * mounted here, or a stack stands on it, and stays.
 */
const isGoing = async (host: Host, loop: string): Promise<boolean> => {
  const autoclear = await host.files.readText(`/sys/block/${kernelName(loop)}/loop/autoclear`);
  return autoclear?.trim() === '1' && !(await areStoodOn(host, await partsOf(host, loop)));
};

/** Loop devices that show this very file and go on to: those that are about to go are awaited. */
export const lastingLoopsOf = async (host: Host, file: string): Promise<readonly string[]> => {
  let loops: readonly string[] = [];
  await waitUntil(async () => {
    loops = await loopsOf(host, file);
    const going = await Promise.all(loops.map((loop) => isGoing(host, loop)));
    return !going.includes(true);
  }, settleMilliseconds);
  return loops;
};

export type LoopOptions = {
  /** Whether the kernel shows the partitions on it. Default: true. */
  readonly partitions?: boolean;
  /** Size of its sectors in bytes; 512 when left out, as losetup has it. */
  readonly sectorBytes?: number;
};

const optionWords = (
  mode: LayerMode,
  { partitions = true, sectorBytes }: LoopOptions,
): readonly string[] => [
  ...(mode === 'read-only' ? ['--read-only'] : []),
  ...(partitions ? ['--partscan'] : []),
  ...(sectorBytes === undefined ? [] : [`--sector-size=${sectorBytes}`]),
];

/** The step that shows an image file as a block device, and the device it will be. */
const attachLoop = (device: string, file: string, mode: LayerMode, options: LoopOptions): Step => ({
  title: `Attach ${file} as ${device}`,
  commands: [{ program: 'losetup', args: [...optionWords(mode, options), device, file] }],
  why: 'Partitions and file systems are found on block devices, not in files.',
  risk: mode === 'read-only' ? 'none: the kernel refuses every write to it' : 'none by itself',
  undo: { kind: 'detach-loop', device, backingFile: file },
  allOrNothing: true,
});

const attachAttempts = 5;

/** Another program may take the device between the question and the answer: then the next one. */
export const attachFreeLoop = async (
  host: Host,
  perform: Perform,
  file: string,
  mode: LayerMode,
  options: LoopOptions = {},
): Promise<string> => {
  for (let attempt = 1; ; attempt++) {
    const device = await freeLoopDevice(host);
    try {
      await perform(attachLoop(device, file, mode, options));
      return device;
    } catch (error) {
      const failed = error instanceof RescueError && error.code === 'COMMAND_FAILED';
      if (!failed || attempt === attachAttempts) throw error;
    }
  }
};

/** The first of them that a process holds. */
const findHeld = async (host: Host, parts: readonly Part[]): Promise<Part | undefined> => {
  const holders = await Promise.all(parts.map((part) => findHolders(host, part)));
  return parts.find((_, index) => (holders[index] ?? []).length > 0);
};

/**
 * Lets the file go. `losetup --detach` succeeds on a busy device too and only marks it to go away
 * later (the kernel's LOOP_CLR_FD sets autoclear), so what counts is that the file is let go.
 */
export const detachLoop = async (
  host: Host,
  device: string,
  backingFile: string,
): Promise<UndoResult> => {
  const ours = async () => (await loopBackingFile(host, device)) === backingFile;
  if (!(await ours())) return gone;
  await host.run({ program: 'losetup', args: ['--detach', device], accept: [0, 1] });
  const letGo = async () => !(await ours());
  if (await waitUntil(letGo, settleMilliseconds)) return undone;
  const parts = await partsOf(host, device);
  const held = await findHeld(host, parts);
  const nobody = held === undefined && !(await areStoodOn(host, parts));
  if (nobody && (await waitUntil(letGo, kernelMilliseconds))) return undone;
  return leftBusy(host, device, held ?? { path: device, majorMinor: null });
};

/** First bytes of disk image formats that are no plain copy of a disk. */
const magics: readonly (readonly [string, Buffer])[] = [
  ['qcow2', Buffer.from('QFI\xfb', 'latin1')],
  ['vmdk', Buffer.from('KDMV')],
  ['vhdx', Buffer.from('vhdxfile')],
  ['vhd', Buffer.from('conectix')],
];

/** Refuses an image whose format the loop driver would show as garbage. */
export const requireRawImage = async (host: Host, file: string): Promise<void> => {
  const head = (await host.files.readUntrusted(file, 16)) ?? Buffer.alloc(0);
  const format = magics.find(([, magic]) => head.subarray(0, magic.length).equals(magic))?.[0];
  if (format === undefined) return;
  throw new RescueError({
    code: 'IMAGE_FORMAT',
    message: `${file} is a ${format} image, and only raw images can be attached here.`,
    hint: `Make a raw copy: qemu-img convert -O raw ${file} ${file}.raw`,
  });
};
