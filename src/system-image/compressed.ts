import type { Host } from '../host/host.ts';

type Format = {
  readonly magic: readonly number[];
  /** Program of the host with its words; reads standard input, writes standard output. */
  readonly words: readonly string[];
};

/** The formats that the kernel unpacks (lib/decompress.c), by their first bytes. */
const formats: readonly Format[] = [
  { magic: [0x1f, 0x8b], words: ['gzip', '--decompress', '--stdout', '--quiet'] },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], words: ['zstd', '--decompress', '--stdout', '--quiet'] },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], words: ['xz', '--decompress', '--stdout', '--quiet'] },
  { magic: [0x5d, 0x00, 0x00], words: ['xz', '--format=lzma', '--decompress', '--stdout'] },
  { magic: [0x02, 0x21, 0x4c, 0x18], words: ['lz4', '-d', '-c', '-q'] },
  { magic: [0x42, 0x5a, 0x68], words: ['bzip2', '--decompress', '--stdout', '--quiet'] },
  { magic: [0x89, 0x4c, 0x5a, 0x4f], words: ['lzop', '--decompress', '--stdout', '--quiet'] },
];

/** The program that unpacks what begins with these bytes; null when nothing does. */
export const unpackerOf = (head: Buffer): readonly string[] | null =>
  formats.find(({ magic }) => magic.every((byte, index) => head[index] === byte))?.words ?? null;

export type Packed = {
  /** Host path of a regular file, found without following links of the disk. */
  readonly hostPath: string;
  readonly offsetBytes: number;
  /** Up to the end of the file when left out. */
  readonly lengthBytes?: number;
  readonly words: readonly string[];
};

export type Unpacked = {
  /** Exit codes of the unpacking program and of what read its output. */
  readonly unpack: number;
  readonly list: number;
};

/** Exit code of the shell for a program that is not installed. */
export const notInstalled = 127;

/** Without `pipefail`, which POSIX sh has not, each exit code has to be written down. */
const script = `offset=$1; length=$2; file=$3; reader=$4; limit=$5; shift 5
tail --bytes="+$offset" "$file" | head --bytes="$length" |
{ "$@"; echo "unpack $?" >&2; } |
{ $reader; echo "list $?" >&2; cat > /dev/null; } | head --bytes="$limit"`;

/** More than any file has. */
const noLimit = 2 ** 50;

const codeIn = (lines: readonly string[], name: string): number =>
  Number(lines.findLast((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '1');

const run = async (
  host: Host,
  { hostPath, offsetBytes, lengthBytes, words }: Packed,
  reader: string,
  onOutput: (line: string) => void,
  limitBytes = noLimit,
): Promise<Unpacked> => {
  const errors: string[] = [];
  await host.run({
    program: 'sh',
    args: [
      ...['-c', script, 'sh', String(offsetBytes + 1)],
      String(lengthBytes ?? noLimit),
      ...[hostPath, reader, String(limitBytes), ...words],
    ],
    accept: Array.from({ length: 256 }, (_, code) => code),
    timeoutSeconds: 120,
    keepOutput: false,
    changes: false,
    onLine: (line, stream) => {
      if (stream === 'stdout') onOutput(line);
      else if (errors.length < 1000) errors.push(line);
      else if (/^(?:unpack|list) \d+$/.test(line)) errors[errors.length - 1] = line;
    },
  });
  return { unpack: codeIn(errors, 'unpack'), list: codeIn(errors, 'list') };
};

/** Unpacks a part of a file and lists the cpio archive in it; each name goes to `onName`. */
export const listPackedCpio = (
  host: Host,
  packed: Packed,
  onName: (name: string) => void,
): Promise<Unpacked> => run(host, packed, 'cpio --list --quiet', onName);

/** Unpacks a part of a file and throws it away: does it unpack to its end? */
export const testPacked = (host: Host, packed: Packed): Promise<Unpacked> =>
  run(host, packed, 'true', () => {});

/**
 * Unpacks a part of a file and reads files out of the cpio archive in it, at most `limitBytes`; each
 * line goes to `onLine`. Only contents of regular files come: cpio makes nothing anywhere.
 */
export const readPackedCpio = (
  host: Host,
  packed: Packed,
  names: readonly string[],
  limitBytes: number,
  onLine: (line: string) => void,
): Promise<Unpacked> =>
  run(host, packed, `cpio --extract --to-stdout --quiet ${names.join(' ')}`, onLine, limitBytes);
