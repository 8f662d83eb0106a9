import { createHash } from 'node:crypto';
import type { Subject } from '../../diagnosis/subject.ts';
import { type DpkgOwner, pathAliases } from '../../system-image/dpkg-files.ts';
import { parseDpkgStatus } from '../../system-image/dpkg-status.ts';
import { largestFile, takeFromDeb, takeFromInitramfs } from '../../system-image/take-file.ts';

/** The sum by which dpkg knows a file. */
export const md5Of = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Places where people move things that are in their way. */
const shelves = ['/root', '/tmp', '/var/tmp', '/usr/local/lib', '/usr/local/bin', '/home', '/'];

/** The same name elsewhere, and beside it under a longer one: `libc.so.6.bak`, `.old`, `.dpkg-new`. */
const candidatesOf = async ({ files }: Subject, path: string): Promise<readonly string[]> => {
  const name = baseName(path);
  const beside = pathAliases(path).map(directoryOf);
  const lists = await Promise.all(
    [...new Set([...beside, ...shelves])].map(async (directory) =>
      ((await files.list(directory)) ?? [])
        .filter((one) => one.includes(name))
        .map((one) => `${directory === '/' ? '' : directory}/${one}`),
    ),
  );
  return lists.flat().slice(0, 64);
};

const fromElsewhere = async (
  subject: Subject,
  path: string,
  sum: string,
): Promise<Buffer | null> => {
  for (const candidate of await candidatesOf(subject, path)) {
    const bytes = await subject.files.bytes(candidate, largestFile);
    if (bytes !== null && md5Of(bytes) === sum) return bytes;
  }
  return null;
};

const archives = '/var/cache/apt/archives';

/** apt names archives `NAME_VERSION_ARCHITECTURE.deb`, with an epoch's colon as `%3a`. */
const fromArchive = async (
  { host, files }: Subject,
  owner: DpkgOwner,
  sum: string,
): Promise<Buffer | null> => {
  const names = ((await files.list(archives)) ?? []).filter((name) =>
    name.startsWith(`${owner.name}_`),
  );
  const status = parseDpkgStatus(
    (await files.read('/var/lib/dpkg/status', largestFile)) ?? '',
  ).find(({ name }) => name === owner.name);
  const version = status?.version.replaceAll(':', '%3a') ?? '';
  // The installed version first; another one may hold the same file.
  const sorted = names.toSorted(
    (one, other) => Number(other.includes(version)) - Number(one.includes(version)),
  );
  for (const name of sorted.filter((one) => one.endsWith('.deb')).slice(0, 4)) {
    const bytes = await takeFromDeb(host, files, `${archives}/${name}`, owner.path);
    if (bytes !== null && md5Of(bytes) === sum) return bytes;
  }
  return null;
};

/** The loader, the C library and a few more are in every initramfs, as they were when it was made. */
const fromInitramfs = async (
  { host, files, facts }: Subject,
  owner: DpkgOwner,
  sum: string,
): Promise<Buffer | null> => {
  const images = facts.kernels.flatMap(({ initramfs }) => initramfs ?? []);
  for (const image of images.slice(0, 4)) {
    const bytes = await takeFromInitramfs(host, files, image, pathAliases(owner.path));
    if (bytes !== null && md5Of(bytes) === sum) return bytes;
  }
  return null;
};

/**
 * Finds an undamaged copy of a packaged file on the disk itself: moved or renamed, in apt's cache,
 * or in an initramfs. Only one with the sum in dpkg's records is taken.
 */
export const pristineCopy = async (
  subject: Subject,
  owner: DpkgOwner,
  sum: string,
): Promise<Buffer | null> =>
  (await fromElsewhere(subject, owner.path, sum)) ??
  (await fromArchive(subject, owner, sum)) ??
  (await fromInitramfs(subject, owner, sum));
