import type { Change } from '../../changes/change.ts';
import type { Subject, SubjectDevices } from '../../diagnosis/subject.ts';
import type { Kernel } from '../../system-image/system-facts.ts';
import { planned, refused } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';
import { directoriesFor, espMode, onMountedEsp } from './esp-files.ts';
import { commandLine, entryText, isPlainName, startable, tokenOf } from './kernel-install.ts';

const mebibyte = 1024 * 1024;
/** An initramfs with all drivers and firmware has some hundred mebibytes. */
const maxFileBytes = 512 * mebibyte;

/** A file of a kernel: where the loader finds it, and what has to be written for that. */
type Placed = { readonly path: string; readonly change: Change | null; readonly bytes: number };

const place = async (
  { files }: Subject,
  top: string,
  from: string,
  to: string,
): Promise<Placed | null> => {
  if (from.startsWith(`${top}/`)) return { path: from.slice(top.length), change: null, bytes: 0 };
  const [content, present] = await Promise.all(
    [from, `${top}${to}`].map((path) => files.bytes(path, maxFileBytes)),
  );
  // What fills the limit may be cut.
  if (!content || content.length === maxFileBytes) return null;
  if (present?.equals(content) === true) return { path: to, change: null, bytes: 0 };
  const attributes = { mode: espMode };
  const change: Change = { kind: 'write-file', path: `${top}${to}`, content, attributes };
  return { path: to, change, bytes: content.length };
};

type Entry = {
  readonly files: readonly Placed[];
  readonly path: string;
  readonly text: string;
};

const entryOf = async (
  subject: Subject,
  top: string,
  { version, image, initramfs }: Kernel,
  { token, options }: { readonly token: string; readonly options: string },
): Promise<Entry | null> => {
  if (initramfs === null || !isPlainName(version)) return null;
  const directory = `/${token}/${version}`;
  const kernel = await place(subject, top, image, `${directory}/linux`);
  const initrd = await place(subject, top, initramfs, `${directory}/initrd.img-${version}`);
  if (kernel === null || initrd === null) return null;
  return {
    files: [kernel, initrd],
    path: `/loader/entries/${token}-${version}.conf`,
    text: await entryText(subject, version, {
      options,
      linux: kernel.path,
      initrd: initrd.path,
    }),
  };
};

const bytesOf = ({ files }: Entry): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

/** As many as there is room for, the newest first. */
const fitting = (entries: readonly Entry[], freeBytes: number): readonly Entry[] => {
  const chosen: Entry[] = [];
  // The directories and what FAT rounds up.
  let rest = freeBytes - mebibyte;
  for (const entry of entries) {
    if (bytesOf(entry) > rest) continue;
    rest -= bytesOf(entry);
    chosen.push(entry);
  }
  return chosen;
};

const writeOn = async (
  subject: Subject,
  devices: SubjectDevices,
  top: string,
): Promise<RepairPlan> => {
  const options = await commandLine(subject, devices);
  if (options === null) {
    return refused('The root has no UUID to be named by.', 'Write /etc/kernel/cmdline.');
  }
  const wishes = { token: await tokenOf(subject), options };
  const made = startable(subject.facts.kernels, ({ image }) => image.startsWith(`${top}/`)).map(
    (kernel) => entryOf(subject, top, kernel, wishes),
  );
  const entries = (await Promise.all(made)).filter((entry) => entry !== null);
  const [newest] = entries;
  if (newest === undefined) {
    return refused(
      'No kernel with an initramfs and modules is on the disk.',
      'Install a kernel: rescuekit rescue --network, then the package manager.',
    );
  }
  const directory = await subject.files.locate(top);
  const free = await subject.host.files.freeBytes(directory?.hostPath ?? subject.root);
  const chosen = fitting(entries, free);
  if (chosen.length === 0) {
    const [needed, there] = [bytesOf(newest), free].map((bytes) => Math.ceil(bytes / mebibyte));
    return refused(
      `Kernel and initramfs need ${needed} MiB on the EFI system partition, and only ${there} MiB are free there.`,
      'Make room there, or a smaller initramfs (MODULES=dep of initramfs-tools).',
    );
  }
  const files = chosen.flatMap((entry) => entry.files.filter(({ change }) => change !== null));
  const texts = chosen.map(
    ({ path, text }): Change => ({
      ...{ kind: 'write-file', path: `${top}${path}`, content: text },
      attributes: { mode: espMode },
    }),
  );
  const targets = [...files, ...chosen].map(({ path }) => path);
  return planned([
    ...(await directoriesFor(subject, top, targets)),
    ...files.flatMap(({ change }) => change ?? []),
    // Last of all: an entry names only what is there.
    ...texts,
  ]);
};

const byHand = 'Boot it with rescuekit rescue, and run kernel-install add VERSION IMAGE there.';

export const writeEntries: Repair = {
  id: 'boot-loader.write-entries',
  stage: 'boot-loader',
  title: 'Write entries for systemd-boot, with the kernels that they start',
  why: 'systemd-boot starts what loader/entries names, and nothing is there. As kernel-install would, the newest kernels and their initramfs are copied to the EFI system partition.',
  risk: 'The command line is that of /etc/kernel/cmdline; without that file it names the root and nothing else.',
  proof: 'vm',
  plan: async (subject, findings) => {
    const { devices } = subject;
    return devices === null
      ? refused('The disk is not known.', 'Name the disk and not a directory.')
      : onMountedEsp(subject, findings, byHand, (_, top) => writeOn(subject, devices, top));
  },
};
