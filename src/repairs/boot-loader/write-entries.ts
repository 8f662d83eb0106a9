import type { Change } from '../../changes/change.ts';
import type { Subject, SubjectDevices } from '../../diagnosis/subject.ts';
import { plainLine } from '../../host/plain-text.ts';
import type { Kernel } from '../../system-image/system-facts.ts';
import { planned, refused } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';
import { directoriesFor, espMode, onMountedEsp } from './esp-files.ts';

const mebibyte = 1024 * 1024;
/** An initramfs with all drivers and firmware has some hundred mebibytes. */
const maxFileBytes = 512 * mebibyte;
/** The one that is started, and one to go back to. */
const mostKernels = 2;

/** Names of the disk become names of files and words of a line. */
const isPlainName = (name: string): boolean => /^[\w][\w.+~-]*$/.test(name);

const firstLine = async ({ files }: Subject, path: string): Promise<string> =>
  ((await files.read(path, 4096)) ?? '').split('\n')[0]?.trim() ?? '';

/** What kernel-install names the files after (kernel-install(8), entry token). */
const tokenOf = async (subject: Subject): Promise<string> => {
  const [token, machine] = await Promise.all(
    ['/etc/kernel/entry-token', '/etc/machine-id'].map((path) => firstLine(subject, path)),
  );
  if (token !== undefined && isPlainName(token)) return token;
  if (machine !== undefined && /^[0-9a-f]{32}$/.test(machine)) return machine;
  return subject.facts.os.id ?? 'linux';
};

const rootWords = ({ root, subvolume, volumes }: SubjectDevices): string | null => {
  const volume = volumes.find(({ shownOn }) => shownOn.includes(root.path ?? ''));
  const uuid = volume?.fsid ?? root.uuid;
  if (uuid === null) return null;
  const inside = root.fsType === 'btrfs' ? (subvolume ?? '').replace(/^\/+/, '') : '';
  return `root=UUID=${uuid} ro${inside === '' ? '' : ` rootflags=subvol=${inside}`}`;
};

/**
 * The kernel's command line as kernel-install takes it, without that of the machine that runs now,
 * which is the helper's.
 */
const commandLine = async (subject: Subject, devices: SubjectDevices): Promise<string | null> => {
  for (const path of ['/etc/kernel/cmdline', '/usr/lib/kernel/cmdline']) {
    const text = (await subject.files.read(path, 64 * 1024)) ?? '';
    const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
    const words = plainLine(lines.join(' ')).split(/\s+/).filter(Boolean).join(' ');
    if (words !== '') return words;
  }
  return rootWords(devices);
};

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
  if (content === undefined || content === null) return null;
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
  const { os } = subject.facts;
  const machine = await firstLine(subject, '/etc/machine-id');
  const lines = [
    ['title', plainLine(os.prettyName)],
    ['version', version],
    ...(/^[0-9a-f]{32}$/.test(machine) ? [['machine-id', machine]] : []),
    ...(os.id === null ? [] : [['sort-key', plainLine(os.id)]]),
    ['options', options],
    ['linux', kernel.path],
    ['initrd', initrd.path],
  ];
  return {
    files: [kernel, initrd],
    path: `/loader/entries/${token}-${version}.conf`,
    text: `${lines.map(([key = '', value = '']) => `${key.padEnd(10)} ${value}`).join('\n')}\n`,
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

/** The newest kernels that can start, each as it lies on the partition where it does already. */
const startable = (kernels: readonly Kernel[], top: string): readonly Kernel[] => {
  const whole = kernels.filter(
    ({ image, initramfs, modules }) => modules && initramfs !== null && initramfs !== image,
  );
  const versions = [...new Set(whole.map(({ version }) => version))].slice(0, mostKernels);
  return versions.flatMap((version) => {
    const same = whole.filter((kernel) => kernel.version === version);
    return same.find(({ image }) => image.startsWith(`${top}/`)) ?? same[0] ?? [];
  });
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
  const made = startable(subject.facts.kernels, top).map((kernel) =>
    entryOf(subject, top, kernel, wishes),
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
  plan: async (subject) => {
    const { devices } = subject;
    return devices === null
      ? refused('The disk is not known.', 'Name the disk and not a directory.')
      : onMountedEsp(subject, byHand, (_, top) => writeOn(subject, devices, top));
  },
};
