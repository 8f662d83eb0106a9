import type { Subject } from '../subject.ts';

const grubFiles = ['/boot/grub/grub.cfg', '/boot/grub2/grub.cfg'];
const entryDirectories = [
  '/boot/loader/entries',
  '/boot/efi/loader/entries',
  '/efi/loader/entries',
];
const plainFiles = ['/etc/kernel/cmdline', '/boot/cmdline.txt', '/boot/firmware/cmdline.txt'];

const textsOf = async ({ files }: Subject, paths: readonly string[]) =>
  (await Promise.all(paths.map((path) => files.read(path)))).filter((text) => text !== null);

const matches = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map((match) => match[1] ?? '');

/** Command lines that the boot loaders hand to kernels, as far as configuration files have them. */
export const kernelArguments = async (subject: Subject): Promise<readonly string[]> => {
  const lists = await Promise.all(
    entryDirectories.map(async (directory) =>
      ((await subject.files.list(directory)) ?? [])
        .filter((name) => name.endsWith('.conf'))
        .map((name) => `${directory}/${name}`),
    ),
  );
  const [grub, entries, extlinux, plain] = await Promise.all([
    textsOf(subject, grubFiles),
    textsOf(subject, lists.flat().slice(0, 64)),
    textsOf(subject, ['/boot/extlinux/extlinux.conf', '/extlinux/extlinux.conf']),
    textsOf(subject, plainFiles),
  ]);
  return [
    ...grub.flatMap((text) => matches(text, /^\s*linux(?:16|efi)?\s+\S+\s+(.*)$/gm)),
    ...entries.flatMap((text) => matches(text, /^options\s+(.*)$/gm)),
    ...extlinux.flatMap((text) => matches(text, /^\s*append\s+(.*)$/gim)),
    ...plain,
  ];
};

const isWritable = (line: string): boolean => {
  const words = line.split(/\s+/);
  return words.lastIndexOf('rw') > words.lastIndexOf('ro');
};

/**
 * Whether the root stays read-only when fstab does not make it writable. The kernel mounts it
 * read-only unless it is told `rw`, and only the line for / in fstab changes that later. Systems that
 * put their root together by themselves (OSTree, NixOS, live media) do not depend on it.
 */
export const rootNeedsTable = async (subject: Subject): Promise<boolean> => {
  if (subject.devices === null || subject.facts.kernels.length === 0) return false;
  const lines = await kernelArguments(subject);
  if (
    lines.some((line) =>
      /\b(?:ostree=|init=\/nix\/|boot=(?:live|casper)|rd\.live|overlayroot)/.test(line),
    )
  )
    return false;
  return lines.length === 0 || lines.some((line) => !isWritable(line));
};
