import { mapBounded } from '../host/bounded.ts';
import type { CommandResult } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';

/** What low-level probing found on one device. All null: nothing known, or not readable. */
export type Probe = {
  /** blkid's TYPE, or `ambiguous` when several signatures contradict each other. */
  readonly fsType: string | null;
  readonly label: string | null;
  readonly uuid: string | null;
  /** Of a member of an array or btrfs its own id; `uuid` is then that of the whole. */
  readonly memberUuid: string | null;
  readonly partitionTable: string | null;
  /** Entry of the partition table that describes the device, for partitions. */
  readonly entry: {
    readonly number: number;
    readonly startBytes: number;
    readonly uuid: string | null;
    readonly label: string | null;
    readonly type: string | null;
  } | null;
};

/** The `fsType` of a device on which blkid found several signatures (exit code 8). */
export const ambiguousType = 'ambiguous';

const nothing: Probe = {
  fsType: null,
  label: null,
  uuid: null,
  memberUuid: null,
  partitionTable: null,
  entry: null,
};
const ambiguous: Probe = { ...nothing, fsType: ambiguousType };

// blkid(8): 2 = nothing found or not readable, 8 = ambivalent.
const nothingFound = 2;
const ambivalent = 8;

const devicesPerCall = 32;
const callsAtATime = 4;
/** A disk that answers slower than this is broken; it is listed without its contents. */
const timeoutSeconds = 20;

const utf8 = new TextDecoder('utf-8', { fatal: true });

const metaByte = (caret: string | undefined, plain: string | undefined): number =>
  0x80 + (caret === undefined ? (plain ?? '').charCodeAt(0) : caret.charCodeAt(0) ^ 0x40);

/**
 * Bytes above 127 are written as `M-C` and `M-^C` up to util-linux 2.38. A text that only looks so
 * does not come out as UTF-8 and stays as it is.
 */
const decodeMeta = (text: string): string =>
  text.replaceAll(/(?:M-(?:\^[?-_]|[ -\]_-~]))+/g, (run) => {
    const bytes = [...run.matchAll(/M-(?:\^([?-_])|([ -\]_-~]))/g)].map(([, caret, plain]) =>
      metaByte(caret, plain),
    );
    try {
      return utf8.decode(Uint8Array.from(bytes));
    } catch {
      return run;
    }
  });

/** `--output export` puts a backslash before what a shell would take. */
const unescapeValue = (value: string): string => decodeMeta(value.replaceAll(/\\([\s\S])/g, '$1'));

type Fields = ReadonlyMap<string, string>;

const fieldsOf = (block: string): Fields =>
  new Map(
    block.split('\n').flatMap((line) => {
      const equals = line.indexOf('=');
      return equals < 1
        ? []
        : [[line.slice(0, equals), unescapeValue(line.slice(equals + 1))] as const];
    }),
  );

const entryOf = (fields: Fields): Probe['entry'] => {
  const number = Number(fields.get('PART_ENTRY_NUMBER'));
  if (!Number.isInteger(number)) return null;
  return {
    number,
    // Offsets are in units of 512 bytes, whatever the disk's sector size (libblkid, partitions.c).
    startBytes: Number(fields.get('PART_ENTRY_OFFSET') ?? 0) * 512,
    uuid: fields.get('PART_ENTRY_UUID') ?? null,
    label: fields.get('PART_ENTRY_NAME') ?? null,
    type: fields.get('PART_ENTRY_TYPE') ?? null,
  };
};

const probeOf = (fields: Fields): Probe => ({
  fsType: fields.get('TYPE') ?? null,
  label: fields.get('LABEL') ?? null,
  uuid: fields.get('UUID') ?? null,
  memberUuid: fields.get('UUID_SUB') ?? null,
  partitionTable: fields.get('PTTYPE') ?? null,
  entry: entryOf(fields),
});

/** Parses `blkid --probe --output export` of one or more devices; the key is the device node. */
export const parseBlkid = (stdout: string): ReadonlyMap<string, Probe> =>
  new Map(
    stdout.split(/\n{2,}/).flatMap((block) => {
      const fields = fieldsOf(block);
      const name = fields.get('DEVNAME');
      return name === undefined ? [] : [[name, probeOf(fields)] as const];
    }),
  );

const runBlkid = (host: Host, args: readonly string[]): Promise<CommandResult> =>
  host.run({
    program: 'blkid',
    args: ['--probe', '--output', 'export', ...args],
    accept: [0, nothingFound, ambivalent],
    timeoutSeconds,
    changes: false,
  });

const probeOne = async (host: Host, args: readonly string[], path: string): Promise<Probe> => {
  try {
    const { exitCode, stdout } = await runBlkid(host, [...args, path]);
    if (exitCode === ambivalent) return ambiguous;
    return parseBlkid(stdout).get(path) ?? nothing;
  } catch (error) {
    if (error instanceof RescueError && error.code === 'TIMEOUT') return nothing;
    throw error;
  }
};

type Found = readonly (readonly [string, Probe])[];

const eachAlone = (host: Host, paths: readonly string[]): Promise<Found> =>
  mapBounded(paths, 1, async (path) => [path, await probeOne(host, [], path)] as const);

/**
 * One call for several devices. blkid stops at the first one on which it finds nothing, and its
 * exit code is about that one: the call is repeated with those that come after it.
 */
const probeChunk = async (host: Host, paths: readonly string[]): Promise<Found> => {
  if (paths.length < 2) return eachAlone(host, paths);
  let result: CommandResult;
  try {
    result = await runBlkid(host, paths);
  } catch (error) {
    if (error instanceof RescueError && error.code === 'TIMEOUT') return eachAlone(host, paths);
    throw error;
  }
  const found = parseBlkid(result.stdout);
  const stop = paths.findIndex((path) => !found.has(path));
  if (stop === -1) return [...found];
  const rest = paths.slice(stop);
  const stopper = rest[0] ?? '';
  // A blkid that went on instead: the exit code cannot be assigned to one of the devices.
  if (result.exitCode === 0 || rest.some((path) => found.has(path))) {
    const missing = paths.filter((path) => !found.has(path));
    return [...found, ...(await eachAlone(host, missing))];
  }
  const here = [stopper, result.exitCode === ambivalent ? ambiguous : nothing] as const;
  return [...found, here, ...(await probeChunk(host, rest.slice(1)))];
};

/**
 * Looks for signatures on the devices themselves, read-only and without udev or a cache. Every
 * path has an answer; a device that cannot be read (no permission, no medium) has an empty one.
 */
export const probeDevices = async (
  host: Host,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Probe>> => {
  const chunks = Array.from({ length: Math.ceil(paths.length / devicesPerCall) }, (_, index) =>
    paths.slice(index * devicesPerCall, (index + 1) * devicesPerCall),
  );
  const found = await mapBounded(chunks, callsAtATime, (chunk) => probeChunk(host, chunk));
  return new Map(found.flat());
};

/** Looks at a part of a device, for a partition that the kernel does not know. */
export const probeRange = (
  host: Host,
  path: string,
  offsetBytes: number,
  sizeBytes: number,
): Promise<Probe> =>
  probeOne(host, ['--offset', String(offsetBytes), '--size', String(sizeBytes)], path);
