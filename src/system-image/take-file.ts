import type { Host } from '../host/host.ts';
import { unpackerOf } from './compressed.ts';
import { walkCpio } from './cpio-walk.ts';
import { readArMembers } from './package-archive.ts';
import type { SystemFiles } from './system-files.ts';

/** Part of a file of the disk that holds a packed archive. */
type Part = {
  readonly hostPath: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly words: readonly string[];
};

/** Larger than any program or library that a boot needs. */
export const largestFile = 64 * 1024 * 1024;

// The archive's names are words of the command and never a shell's; nothing but $out is written.
const script = `out=$1; offset=$2; length=$3; file=$4; kind=$5; shift 5
names=""
while [ "$1" != -- ]; do names="$names $1"; shift; done; shift
set -f
tail --bytes="+$offset" "$file" | head --bytes="$length" | "$@" | {
  if [ "$kind" = tar ]; then tar --extract --to-stdout --file=- --occurrence=1 -- $names
  else cpio --extract --to-stdout --quiet $names; fi
  cat > /dev/null
} 2> /dev/null | head --bytes=${largestFile} > "$out"`;

/** A name that a shell and the archiver's patterns take as it is; others are not asked for. */
const isPlain = (name: string): boolean => /^[A-Za-z0-9_@%+=:,./-]+$/.test(name);

const takeFrom = async (
  host: Host,
  part: Part,
  kind: 'tar' | 'cpio',
  names: readonly string[],
): Promise<Buffer | null> => {
  const plain = names.filter(isPlain);
  const made = await host.run({ program: 'mktemp', args: ['--directory'], changes: false });
  const directory = made.stdout.trim();
  try {
    await host.run({
      program: 'sh',
      args: [
        ...['-c', script, 'sh', `${directory}/file`, String(part.offsetBytes + 1)],
        ...[String(part.lengthBytes), part.hostPath, kind, ...plain, '--', ...part.words],
      ],
      accept: Array.from({ length: 256 }, (_, code) => code),
      changes: false,
    });
    const bytes = await host.files.readUntrusted(`${directory}/file`, largestFile);
    return bytes === null || bytes.length === 0 ? null : bytes;
  } finally {
    await host.files.removeTree(directory);
  }
};

/**
 * Takes a file out of a Debian package on the disk without installing or running anything of it.
 *
 * @param path as the package has it, for instance `/lib/x86_64-linux-gnu/libc.so.6`.
 * @returns null when it is not in there, or is no file.
 */
export const takeFromDeb = async (
  host: Host,
  files: SystemFiles,
  deb: string,
  path: string,
): Promise<Buffer | null> => {
  const found = await files.locate(deb);
  const data = (await readArMembers(files, deb))?.find(({ name }) => name.startsWith('data.tar'));
  if (found?.status.kind !== 'file' || data === undefined) return null;
  const head = (await files.bytes(deb, 8, data.offsetBytes)) ?? Buffer.alloc(0);
  const words = data.name === 'data.tar' ? ['cat'] : unpackerOf(head);
  if (words === null) return null;
  const { hostPath } = found;
  return takeFrom(host, { hostPath, words, ...data }, 'tar', [`.${path}`]);
};

/** Takes a file out of the compressed archive of an initramfs; null when it is not in there. */
export const takeFromInitramfs = async (
  host: Host,
  files: SystemFiles,
  initramfs: string,
  paths: readonly string[],
): Promise<Buffer | null> => {
  const found = await files.locate(initramfs);
  if (found?.status.kind !== 'file') return null;
  const { hostPath, status } = found;
  const read = async (offset: number, length: number): Promise<Buffer> =>
    (await files.bytes(initramfs, length, offset)) ?? Buffer.alloc(0);
  const { restAt, damage } = await walkCpio(read, status.sizeBytes);
  const words = unpackerOf(await read(restAt, 8));
  if (damage !== null || words === null) return null;
  const part = { hostPath, words, offsetBytes: restAt, lengthBytes: status.sizeBytes - restAt };
  const names = paths.flatMap((path) => [path.slice(1), `.${path}`]);
  return takeFrom(host, part, 'cpio', names);
};
