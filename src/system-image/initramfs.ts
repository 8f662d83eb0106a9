import type { Host } from '../host/host.ts';
import { listPackedCpio, notInstalled, readPackedCpio, unpackerOf } from './compressed.ts';
import { walkCpio } from './cpio-walk.ts';
import type { SystemFiles } from './system-files.ts';

export type Initramfs =
  | { readonly kind: 'whole'; readonly names: ReadonlySet<string> }
  | { readonly kind: 'damaged'; readonly reason: string }
  /** It could not be looked into, which says nothing of it. */
  | { readonly kind: 'not-read'; readonly reason: string };

const maxNames = 200_000;

const rest = async (
  host: Host,
  hostPath: string,
  offsetBytes: number,
  head: Buffer,
  front: readonly string[],
): Promise<Initramfs> => {
  const words = unpackerOf(head);
  if (words === null) {
    return { kind: 'damaged', reason: 'it is neither an archive nor compressed in a known way' };
  }
  const names = new Set(front);
  const { unpack, list } = await listPackedCpio(host, { hostPath, offsetBytes, words }, (name) => {
    if (names.size < maxNames) names.add(name.replace(/^\.?\/+/, ''));
  });
  if (unpack === notInstalled || list === notInstalled) {
    const program = unpack === notInstalled ? words[0] : 'cpio';
    return { kind: 'not-read', reason: `this machine has no ${program}` };
  }
  // What stands behind the end of the archive does not matter: the archive itself is whole.
  if (list === 0) return { kind: 'whole', names };
  const reason =
    unpack === 0
      ? 'the archive in it is cut off'
      : `${words[0]} cannot unpack it to its end: it is cut off or damaged`;
  return { kind: 'damaged', reason };
};

/**
 * Looks into an initramfs: all archives at its front, and the compressed one behind them. Nothing
 * is written anywhere.
 *
 * @param path path of the system.
 */
export const readInitramfs = async (
  host: Host,
  files: SystemFiles,
  path: string,
): Promise<Initramfs> => {
  const found = await files.locate(path);
  if (found?.status.kind !== 'file') return { kind: 'damaged', reason: 'it is no regular file' };
  const { sizeBytes } = found.status;
  if (sizeBytes === 0) return { kind: 'damaged', reason: 'it is empty' };
  const read = async (offset: number, length: number): Promise<Buffer> =>
    (await files.bytes(path, length, offset)) ?? Buffer.alloc(0);
  const walk = await walkCpio(read, sizeBytes);
  if (walk.damage !== null) return { kind: 'damaged', reason: walk.damage };
  const front = walk.names.map((name) => name.replace(/^\.?\/+/, ''));
  if (walk.restAt >= sizeBytes) return { kind: 'whole', names: new Set(front) };
  return rest(host, found.hostPath, walk.restAt, await read(walk.restAt, 8), front);
};

/** What the scripts of Debian and of dracut read in place of /etc/crypttab. */
const crypttabCopies = ['cryptroot/crypttab', 'etc/crypttab'];
const maxBytes = 2 ** 16;

/**
 * The crypttab that an initramfs has for itself; null when it has none, or cannot be looked into.
 *
 * @param path path of the system.
 */
export const crypttabInInitramfs = async (
  host: Host,
  files: SystemFiles,
  path: string,
): Promise<string | null> => {
  const found = await files.locate(path);
  if (found?.status.kind !== 'file') return null;
  const read = async (offset: number, length: number): Promise<Buffer> =>
    (await files.bytes(path, length, offset)) ?? Buffer.alloc(0);
  const walk = await walkCpio(read, found.status.sizeBytes);
  const words = walk.damage === null ? unpackerOf(await read(walk.restAt, 8)) : null;
  if (words === null) return null;
  const lines: string[] = [];
  const packed = { hostPath: found.hostPath, offsetBytes: walk.restAt, words };
  const { unpack, list } = await readPackedCpio(host, packed, crypttabCopies, maxBytes, (line) =>
    lines.push(line),
  );
  return unpack === 0 && list === 0 && lines.length > 0 ? lines.join('\n') : null;
};

/** `virtio_blk` for `virtio-blk.ko.xz`: modprobe takes both signs for the same. */
export const moduleName = (path: string): string | null =>
  /([^/]+)\.ko(?:\.(?:gz|xz|zst))?$/.exec(path)?.[1]?.replaceAll('-', '_') ?? null;

export type InitramfsModules = {
  /** Kernel versions that it has modules of. */
  readonly versions: ReadonlySet<string>;
  /** Names of the modules of one version, with `_`. */
  readonly of: (version: string) => ReadonlySet<string>;
};

/** The modules that are among the names of an initramfs. */
export const modulesIn = (names: ReadonlySet<string>): InitramfsModules => {
  const byVersion = new Map<string, Set<string>>();
  for (const name of names) {
    const version = /^(?:usr\/)?lib\/modules\/([^/]+)\//.exec(name)?.[1];
    const module = version === undefined ? null : moduleName(name);
    if (version === undefined || module === null) continue;
    byVersion.set(version, (byVersion.get(version) ?? new Set()).add(module));
  }
  return {
    versions: new Set(byVersion.keys()),
    of: (version) => byVersion.get(version) ?? new Set(),
  };
};

/** Whether a program of this name is in the initramfs. */
export const hasProgram = (names: ReadonlySet<string>, program: string): boolean =>
  ['bin', 'sbin', 'usr/bin', 'usr/sbin', 'usr/lib/systemd', 'lib/systemd'].some((directory) =>
    names.has(`${directory}/${program}`),
  );
