import type { Subject } from '../../diagnosis/subject.ts';
import { type DpkgOwner, pathAliases, sumsOf } from '../../system-image/dpkg-files.ts';
import { readElfImage } from '../../system-image/elf-image.ts';
import { largestFile } from '../../system-image/take-file.ts';

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Links whose target is part of Debian's policy and in no library's header. */
const known: ReadonlyMap<string, string> = new Map([
  ['/bin/sh', 'dash'],
  ['/sbin/init', '/lib/systemd/systemd'],
  ['/lib64/ld-linux-x86-64.so.2', '/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'],
  ['/lib/ld-linux-aarch64.so.1', 'aarch64-linux-gnu/ld-linux-aarch64.so.1'],
  ['/lib/systemd/systemd-udevd', '/bin/udevadm'],
]);

const hasSoname = async (subject: Subject, path: string, name: string): Promise<boolean> => {
  const bytes = await subject.files.bytes(path, largestFile);
  const image = bytes === null ? 'empty' : readElfImage(bytes, bytes.length);
  return typeof image !== 'string' && image.soname === name;
};

/** `libselinux.so.1` is a link to the file whose header has that name (ldconfig(8)). */
const bySoname = async (subject: Subject, owner: DpkgOwner): Promise<string | null> => {
  const name = baseName(owner.path);
  const files = [...(await sumsOf(subject.files, owner.entry)).keys()].filter(
    (path) => directoryOf(path) === directoryOf(owner.path) && path.includes('.so'),
  );
  for (const path of files) {
    if (await hasSoname(subject, path, name)) return baseName(path);
  }
  return null;
};

/** Where a link of a package that is gone led to; null when what it led to is not there. */
export const linkTargetFor = async (subject: Subject, owner: DpkgOwner): Promise<string | null> => {
  const fixed = pathAliases(owner.path)
    .map((path) => known.get(path))
    .find((to) => to !== undefined);
  if (fixed === undefined) return bySoname(subject, owner);
  const target = fixed.startsWith('/') ? fixed : `${directoryOf(owner.path)}/${fixed}`;
  return (await subject.files.status(target)) === null ? null : fixed;
};
