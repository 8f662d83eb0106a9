import { fileEvidence } from '../file-evidence.ts';
import type { Evidence } from '../finding.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
import type { Subject } from '../subject.ts';
import { mebibytes } from './largest.ts';

/** A file of /boot that no boot uses any more, as far as its name tells. */
export type Leftover = {
  readonly path: string;
  readonly sizeBytes: number;
  readonly why: string;
  /** Certainly of no use: an initramfs whose kernel and modules are gone, and that nothing names. */
  readonly mayGo: boolean;
};

const initramfs = /^(?:initrd\.img|initrd|initramfs)-(\d+\.\d[\w.+~-]*?)(?:\.img)?$/;
const backup = /\.(?:bak|dpkg-bak|old-dkms|orig|save|tmp|new)$|~$/;

/** Links by which boot loaders and packages name the newest ones. */
const links = ['/initrd.img', '/initrd.img.old', '/boot/initrd.img', '/boot/initrd.img.old'];

const named = async (subject: Subject): Promise<ReadonlySet<string>> => {
  const [entries, led] = await Promise.all([
    bootEntriesOf(subject),
    Promise.all(links.map((path) => subject.files.locate(path))),
  ]);
  return new Set(
    [
      ...entries.flatMap(({ initrds, initrdPaths }) => [...initrds, ...initrdPaths]),
      ...led.map((one) => one?.path),
      ...subject.facts.kernels.map((kernel) => kernel.initramfs),
    ].flatMap((path) => (path == null ? [] : [path.slice(path.lastIndexOf('/') + 1)])),
  );
};

/** Versions of which anything is left: an image in /boot, or modules. */
const versionsThere = async ({ files, facts }: Subject): Promise<readonly string[]> => {
  const [boot, modules, usrModules] = await Promise.all(
    ['/boot', '/lib/modules', '/usr/lib/modules'].map((path) => files.list(path)),
  );
  const images = (boot ?? []).flatMap(
    (name) => /^(?:vmlinuz|vmlinux|kernel|[bz]?Image)-(.+)$/.exec(name)?.[1] ?? [],
  );
  const known = facts.kernels.map(({ version }) => version);
  return [...known, ...images, ...(modules ?? []), ...(usrModules ?? [])];
};

/** Copies and what kernels that were removed have left in /boot, the largest first. */
export const bootLeftovers = async (subject: Subject): Promise<readonly Leftover[]> => {
  const { files } = subject;
  const [names, used, versions, modulesSeen] = await Promise.all([
    files.list('/boot'),
    named(subject),
    versionsThere(subject),
    // On a /usr that is not attached the modules are only out of sight.
    files.isDirectory('/lib/modules'),
  ]);
  // That of kdump has the version of its kernel with a word behind it.
  const isOrphan = (version: string): boolean =>
    modulesSeen && !versions.some((one) => version.startsWith(one));
  const found = await Promise.all(
    (names ?? []).slice(0, 500).map(async (name): Promise<readonly Leftover[]> => {
      const entry = await files.entry(`/boot/${name}`);
      if (entry?.status.kind !== 'file') return [];
      const { sizeBytes } = entry.status;
      const version = initramfs.exec(name)?.[1];
      const orphan = version !== undefined && !backup.test(name) && isOrphan(version);
      if (orphan) {
        const why = `its kernel ${version} is gone, and so are its modules`;
        return [{ path: `/boot/${name}`, sizeBytes, why, mayGo: !used.has(name) }];
      }
      if (!backup.test(name) || used.has(name)) return [];
      return [{ path: `/boot/${name}`, sizeBytes, why: 'a copy that no boot uses', mayGo: false }];
    }),
  );
  return found
    .flat()
    .toSorted((one, other) => other.sizeBytes - one.sizeBytes)
    .slice(0, 8);
};

/** How big it is, and why it may be of no use. */
export const leftoverEvidence = ({ path, sizeBytes, why }: Leftover): Evidence =>
  fileEvidence(path, null, `${mebibytes(sizeBytes)}: ${why}`);
