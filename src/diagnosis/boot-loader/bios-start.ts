import { coreBlocks, readBootCode } from '../../boot-code/grub-core.ts';
import { missingGrubModules } from '../../boot-code/grub-modules.ts';
import { plainText } from '../../host/plain-text.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Evidence, Finding } from '../finding.ts';
import { bootIsHidden } from '../kernel/none.ts';
import type { Subject } from '../subject.ts';
import { biosBootType, coreRoom } from './core-room.ts';
import { type CoreLook, type DiskLook, diskLooks } from './disk-look.ts';
import { searchedUuid } from './menu-text.ts';
import { allDevices, hasUuid, wrongPlace } from './start-place.ts';

/** A finding before it is known whether the system starts in another way, too. */
export type StartFault = Omit<Finding, 'severity'> & {
  /** It starts, at least today; `info`: it starts where it was installed. */
  readonly milder?: true | 'info';
};

/** Whether a machine with this kind of firmware gets from the disk to GRUB's menu. */
export type StartLook = {
  /** False when the disk was never made for this kind of firmware. */
  readonly used: boolean;
  readonly faults: readonly StartFault[];
};

/** Of several places (a mirror, two EFI partitions) the firmware takes one that starts. */
export const milderWhereOneStarts = (
  places: readonly (readonly StartFault[])[],
): readonly StartFault[] => {
  const anyWhole = places.some((list) => list.every(({ milder }) => milder !== undefined));
  return places
    .flat()
    .map((fault) => (anyWhole && fault.milder === undefined ? { ...fault, milder: true } : fault));
};

/**
 * Where GRUB's modules for BIOS machines are; Fedora and SUSE name the directory after version 2.
 * RHEL 7 has both directories, and the first one holds a picture only.
 */
export const biosDirectory = async ({ files }: Subject): Promise<string> => {
  const [first, second] = ['/boot/grub', '/boot/grub2'] as const;
  const signs = ['/i386-pc', '/grub.cfg', '/grubenv', ''];
  for (const sign of signs) {
    const [one, two] = await Promise.all(
      [first, second].map(async (place) => (await files.status(`${place}${sign}`)) !== null),
    );
    if (one !== two) return `${two === true ? second : first}/i386-pc`;
  }
  return `${first}/i386-pc`;
};

const repair = 'boot-loader.install-bios';

const sectorEvidence = ({ node }: DiskLook, sector: number, output: string): Evidence => ({
  kind: 'command',
  command: `read sector ${sector} of ${node}`,
  output,
});

const noCode = (look: DiskLook): StartFault => ({
  id: 'boot-loader.boot-code',
  title: `The boot code in the first sector of ${look.node} is gone.`,
  subject: look.node,
  evidence: [sectorEvidence(look, 0, 'its first 440 bytes are zero')],
  meaning: 'A BIOS machine says "No bootable device" or shows a black screen.',
  repair,
});

const badCore = (look: DiskLook, sector: number, reason: string): StartFault => ({
  id: 'boot-loader.core-damaged',
  title: `GRUB's core image on ${look.node} is damaged: ${reason}.`,
  subject: look.node,
  evidence: [sectorEvidence(look, sector, reason)],
  meaning: 'A BIOS machine shows "GRUB" or "GRUB Loading" and stops.',
  repair,
});

/** Where the core image looks for the rest of GRUB, when that is certainly nowhere. */
const lostPlace = (subject: Subject, { contents }: CoreLook): string | null => {
  const { devices } = subject;
  if (contents === null || devices === null) return null;
  const uuid = contents.config === null ? null : searchedUuid(contents.config);
  if (uuid !== null) {
    return hasUuid(devices, uuid)
      ? null
      : `it looks for the file system ${uuid}, which is not there`;
  }
  const place = /^\(([^)]*)\)/.exec(contents.prefix ?? '')?.[1];
  if (place === undefined) return null;
  const volume = /^lvm\/(.+)$/.exec(place)?.[1];
  if (volume !== undefined) {
    const there = allDevices(devices).some(({ aliases }) =>
      aliases.includes(`/dev/mapper/${volume}`),
    );
    return there ? null : `it looks for the volume ${volume}, which is not there`;
  }
  const reason = wrongPlace(subject, devices, place);
  return reason === null ? null : `it looks at (${place}) for /boot/grub, but ${reason}`;
};

const lost = (look: DiskLook, sector: number, reason: string): StartFault => ({
  id: 'boot-loader.core-place',
  title: `GRUB's core image on ${look.node} does not find the rest of GRUB: ${plainText(reason)}.`,
  subject: look.node,
  evidence: [sectorEvidence(look, sector, plainText(reason).slice(0, 200))],
  meaning: 'The machine stops at "grub rescue>" with "no such device" or "unknown filesystem".',
  repair,
});

/** The largest module has some hundred kilobytes. */
const maxModuleBytes = 2 * 1024 * 1024;

const isSame = (embedded: Buffer, file: Buffer): boolean =>
  file.length <= embedded.length &&
  embedded.subarray(0, file.length).equals(file) &&
  embedded.subarray(file.length).every((byte) => byte === 0);

/** Whether each module in the core image is one of the files that it would load more from. */
const sameVersion = async (
  { files }: Subject,
  directory: string,
  core: CoreLook,
): Promise<boolean> => {
  const names = ((await files.list(directory)) ?? []).filter((name) => name.endsWith('.mod'));
  const sizes = new Set((core.contents?.modules ?? []).map((module) => module.length));
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)];
  const candidates = await Promise.all(
    names.map(async (name) => {
      const status = await files.status(`${directory}/${name}`);
      // Modules are filled up to whole words: only files of about that size need to be read.
      const fits =
        status !== null && status.sizeBytes <= largest && status.sizeBytes > smallest - 8;
      return fits ? files.bytes(`${directory}/${name}`, maxModuleBytes) : null;
    }),
  );
  const there = candidates.filter((bytes) => bytes !== null && bytes.length > 0);
  return (core.contents?.modules ?? []).every((module) =>
    there.some((file) => file !== null && isSame(module, file)),
  );
};

const otherVersion = (look: DiskLook, directory: string): StartFault => ({
  id: 'boot-loader.core-version',
  milder: true,
  title: `GRUB's core image on ${look.node} and the modules in ${directory} are of different versions.`,
  subject: look.node,
  evidence: [fileEvidence(directory, null, 'holds other modules than those within the core image')],
  meaning: 'It may start, or stop at "grub rescue>" with "symbol not found".',
  repair,
});

const modulesGone = (directory: string, missing: readonly string[]): StartFault => ({
  id: 'boot-loader.grub-modules',
  title: `GRUB's modules in ${directory} are missing or empty: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}.`,
  subject: directory,
  evidence: missing
    .slice(0, 5)
    .map((name) => fileEvidence(`${directory}/${name}`, null, 'is missing or empty')),
  meaning: 'A BIOS machine stops at "grub rescue>" with "file not found".',
  repair,
});

const coreFaults = async (
  subject: Subject,
  look: DiskLook,
  sector: number,
  core: CoreLook,
): Promise<readonly StartFault[]> => {
  if (core.blocks === null)
    return [badCore(look, sector, 'there is no core image where it should be')];
  if (core.contents === null) return [badCore(look, sector, 'it cannot be unpacked')];
  const place = lostPlace(subject, core);
  if (place !== null) return [lost(look, sector, place)];
  if (bootIsHidden(subject)) return [];
  const directory = await biosDirectory(subject);
  const missing = await missingGrubModules(subject.files, directory);
  if (missing.length > 0) return [modulesGone(directory, missing)];
  return (await sameVersion(subject, directory, core)) ? [] : [otherVersion(look, directory)];
};

const startsWithGrub = ({ facts }: Subject): boolean =>
  facts.bootLoaders.some(({ name }) => name === 'grub') &&
  ['x86_64', 'i386', 'i486', 'i586', 'i686', null].includes(facts.architecture);

const hasBiosBoot = ({ disk }: DiskLook): boolean =>
  disk.children.some(({ partition }) => partition?.type?.toLowerCase() === biosBootType);

const wasMadeForBios = async (
  subject: Subject,
  look: DiskLook,
  hasEsp: boolean,
): Promise<boolean> => {
  if (look.disk.partitionTable === 'dos') return !hasEsp;
  const hasDirectory = await subject.files.isDirectory(await biosDirectory(subject));
  return hasBiosBoot(look) && (hasDirectory || !hasEsp);
};

const foreignCode = (look: DiskLook, isCertain: boolean): StartFault => ({
  id: 'boot-loader.boot-code',
  title: `The boot code in the first sector of ${look.node} is not GRUB's, and no other one leads to it.`,
  subject: look.node,
  evidence: [
    sectorEvidence(look, 0, 'its first 440 bytes are not those of GRUB'),
    sectorEvidence(look, 0, 'no partition begins with boot code of GRUB either'),
  ],
  meaning: `A BIOS machine starts something else, or says "Missing operating system"${isCertain ? '' : ', unless it starts from another disk that is not attached'}.`,
  ...(isCertain ? { repair } : { repair: null, milder: true }),
});

/** Partitioning tools write boot code, too: only a core image tells that GRUB was on this disk. */
const hadGrub = async ({ host }: Subject, look: DiskLook): Promise<boolean> => {
  const room = coreRoom(look);
  if (room === null) return false;
  return coreBlocks(await host.files.readAt(look.node, room.sector * 512, 512)) !== null;
};

/** On a disk that fstab names and that is not attached may be what the machine starts from. */
const allAttached = ({ mounts }: Subject): boolean =>
  mounts.every(({ state }) => state !== 'missing' && state !== 'ambiguous');

/** GRUB may begin in a partition, to which the usual boot code of an MBR leads. */
const beginsInPartition = async ({ host }: Subject, look: DiskLook): Promise<boolean> => {
  const starts = look.disk.children.flatMap(({ partition }) => partition?.startBytes ?? []);
  const sectors = await Promise.all(starts.map((at) => host.files.readAt(look.node, at, 512)));
  return sectors.some((sector) => readBootCode(sector).kind === 'grub');
};

/**
 * Where neither kind of firmware was seen to have a way in: GRUB was installed for a BIOS, and
 * something else has taken its place in the first sector.
 */
export const lostToOthers = async (subject: Subject): Promise<readonly StartFault[]> => {
  const [first] = await diskLooks(subject);
  const others = subject.facts.bootLoaders.some(({ name }) => name !== 'grub');
  if (!startsWithGrub(subject) || others || first?.bootCode.kind !== 'other') return [];
  const hasModules = await subject.files.isDirectory(await biosDirectory(subject));
  if (hasModules !== true || (await beginsInPartition(subject, first))) return [];
  return [foreignCode(first, allAttached(subject) && (await hadGrub(subject, first)))];
};

/**
 * Whether the disk was set up for UEFI over an older system, whose boot code stays in the first
 * sector: nothing else for a BIOS is there any more.
 */
const isOldCode = async (subject: Subject, looks: readonly DiskLook[]): Promise<boolean> =>
  !looks.some(hasBiosBoot) && !(await subject.files.isDirectory(await biosDirectory(subject)));

/**
 * How a machine with a BIOS starts from the disks of a system.
 *
 * @param startsByEfi whether the disk was made for UEFI, too.
 */
export const lookAtBiosStart = async (
  subject: Subject,
  hasEsp: boolean,
  startsByEfi = false,
): Promise<StartLook> => {
  if (!startsWithGrub(subject)) return { used: false, faults: [] };
  const looks = await diskLooks(subject);
  const withGrub = looks.filter(({ bootCode }) => bootCode.kind === 'grub');
  const [first] = looks;
  if (startsByEfi && (await isOldCode(subject, looks))) return { used: false, faults: [] };
  if (withGrub.length > 0) {
    const faults = await Promise.all(
      withGrub.map((look) =>
        look.bootCode.kind === 'grub' && look.core !== null
          ? coreFaults(subject, look, look.bootCode.coreSector, look.core)
          : [],
      ),
    );
    return { used: true, faults: milderWhereOneStarts(faults) };
  }
  if (first === undefined || first.bootCode.kind !== 'none') return { used: false, faults: [] };
  const used = await wasMadeForBios(subject, first, hasEsp);
  return { used, faults: used ? [noCode(first)] : [] };
};
