import type { Subject, SubjectDevices } from '../../diagnosis/subject.ts';
import { plainLine } from '../../host/plain-text.ts';
import type { Kernel } from '../../system-image/system-facts.ts';

/** The one that is started, and one to go back to. */
const mostKernels = 2;

/** Names of the disk become names of files and words of a line. */
export const isPlainName = (name: string): boolean => /^[\w][\w.+~-]*$/.test(name);

const firstLine = async ({ files }: Subject, path: string): Promise<string> =>
  ((await files.read(path, 4096)) ?? '').split('\n')[0]?.trim() ?? '';

/** What kernel-install names the files after (kernel-install(8), entry token). */
export const tokenOf = async (subject: Subject): Promise<string> => {
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
export const commandLine = async (
  subject: Subject,
  devices: SubjectDevices,
): Promise<string | null> => {
  for (const path of ['/etc/kernel/cmdline', '/usr/lib/kernel/cmdline']) {
    const text = (await subject.files.read(path, 64 * 1024)) ?? '';
    const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
    const words = plainLine(lines.join(' ')).split(/\s+/).filter(Boolean).join(' ');
    if (words !== '') return words;
  }
  return rootWords(devices);
};

/** A file below loader/entries (Boot Loader Specification, type #1), as kernel-install writes it. */
export const entryText = async (
  subject: Subject,
  version: string,
  {
    options,
    linux,
    initrd,
  }: { readonly options: string; readonly linux: string; readonly initrd: string },
): Promise<string> => {
  const { os } = subject.facts;
  const machine = await firstLine(subject, '/etc/machine-id');
  const lines = [
    ['title', plainLine(os.prettyName)],
    ['version', version],
    ...(/^[0-9a-f]{32}$/.test(machine) ? [['machine-id', machine]] : []),
    ...(os.id === null ? [] : [['sort-key', plainLine(os.id)]]),
    ['options', options],
    ['linux', linux],
    ['initrd', initrd],
  ];
  return `${lines.map(([key = '', value = '']) => `${key.padEnd(10)} ${value}`).join('\n')}\n`;
};

/** The newest kernels that can start, each as it lies where `isThere` says, if it does. */
export const startable = (
  kernels: readonly Kernel[],
  isThere: (kernel: Kernel) => boolean,
): readonly Kernel[] => {
  const whole = kernels.filter(
    ({ image, initramfs, modules }) => modules && initramfs !== null && initramfs !== image,
  );
  const versions = [...new Set(whole.map(({ version }) => version))].slice(0, mostKernels);
  return versions.flatMap((version) => {
    const same = whole.filter((kernel) => kernel.version === version);
    return same.find(isThere) ?? same[0] ?? [];
  });
};
