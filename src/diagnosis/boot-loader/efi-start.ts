import { posix } from 'node:path';
import { plainText } from '../../host/plain-text.ts';
import type { Evidence } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { milderWhereOneStarts, type StartFault, type StartLook } from './bios-start.ts';
import {
  type EfiDirectory,
  efiDirectories,
  hasRemovablePath,
  isKnown,
  isWholeChain,
  ownDirectories,
  unknownStarter,
} from './efi-chains.ts';
import { type Esp, espsOf } from './esp.ts';
import { hasLoaderEntries, isOnlySystemdBoot } from './loader-entries.ts';
import { searchedUuid } from './menu-text.ts';
import { bootDevice, hasUuid } from './start-place.ts';

const repair = 'boot-loader.restore-efi';

const nodeOf = ({ device }: Esp): string => device.path ?? device.name;

/** The partition is read by its own node: it may not be mounted here. */
const evidence = (esp: Esp, path: string, output: string): Evidence => ({
  kind: 'command',
  command: `read ${plainText(path)} on ${nodeOf(esp)}`,
  output: plainText(output).slice(0, 200),
});

const unreadable = (esp: Esp): StartFault => ({
  id: 'boot-loader.esp-damaged',
  title: `The EFI system partition ${nodeOf(esp)} has no file system that can be read.`,
  subject: nodeOf(esp),
  evidence: [evidence(esp, 'sector 0', 'there is no boot sector of a FAT file system')],
  meaning: 'UEFI firmware finds nothing to start, and the mount of the partition fails.',
  repair: 'boot-loader.restore-esp',
});

const noProgram = (esp: Esp, directories: readonly EfiDirectory[]): StartFault => {
  const broken = directories
    .flatMap(({ programs }) => programs)
    .filter((program) => isKnown(program) && program.damage !== null);
  return {
    id: 'boot-loader.efi-programs',
    title: `UEFI firmware finds no boot loader that is whole on ${nodeOf(esp)}.`,
    subject: nodeOf(esp),
    evidence:
      broken.length > 0
        ? broken.slice(0, 5).map(({ path, damage }) => evidence(esp, path, damage ?? ''))
        : [evidence(esp, '/EFI', 'holds no pair of shim and GRUB, no GRUB alone, no systemd-boot')],
    meaning: 'The firmware says "No bootable device" or drops into its own shell or setup.',
    repair,
  };
};

/** rEFInd, Limine, or a kernel that the firmware starts by itself. */
const otherStarter = (esp: Esp, path: string): StartFault => ({
  id: 'boot-loader.efi-programs',
  milder: 'info',
  title: `UEFI firmware can only start ${plainText(path)} on ${nodeOf(esp)}, a program that is not known here.`,
  subject: nodeOf(esp),
  evidence: [evidence(esp, path, 'begins as a program does')],
  meaning: 'What it starts, and whether its settings are right, was not looked into.',
  repair: null,
});

const brokenProgram = (esp: Esp, path: string, damage: string): StartFault => ({
  id: 'boot-loader.efi-program',
  milder: true,
  title: `The EFI program ${plainText(path)} ${damage}.`,
  subject: `${nodeOf(esp)} ${path}`,
  evidence: [evidence(esp, path, damage)],
  meaning: 'Firmware that has its entry set to it goes on to another one, if it has any.',
  repair,
});

const noEntries = (esp: Esp): StartFault => ({
  id: 'boot-loader.no-entries',
  title: `systemd-boot has nothing to start on ${nodeOf(esp)}.`,
  subject: nodeOf(esp),
  evidence: [evidence(esp, '/loader/entries and /EFI/Linux', 'neither entries nor images')],
  meaning: 'systemd-boot says "No loader found" and gives the machine back to its firmware.',
  repair: 'boot-loader.write-entries',
});

const isRemovable = ({ path }: EfiDirectory): boolean => /\/boot$/i.test(path);

const hasShim = ({ programs }: EfiDirectory): boolean =>
  programs.some(({ kind }) => kind === 'shim');

/** Whether a directory's GRUB is whole and its configuration leads to this system's own /boot or root. */
const leadsHere = (subject: Subject, directory: EfiDirectory): boolean => {
  const { devices } = subject;
  const uuid = searchedUuid(directory.config ?? '')?.toLowerCase();
  if (devices === null || uuid === undefined || !isWholeChain(directory)) return false;
  return [bootDevice(subject, devices), devices.root].some(
    (device) => device.uuid?.toLowerCase() === uuid,
  );
};

/** Whether a directory's GRUB is whole and has within itself where to go on. */
const needsNoConfig = (directory: EfiDirectory): boolean =>
  directory.programs.some(({ kind, damage }) => kind === 'grub' && damage === null) &&
  !isRemovable(directory) &&
  !hasShim(directory) &&
  directory.config === null;

/**
 * How bad it is when GRUB in a directory does not find its menu. That of another vendor, left by a
 * system that is gone or belongs to a disk that is not attached, stops nothing where the system is
 * started from another directory.
 */
const gradeOf = (
  subject: Subject,
  directories: readonly EfiDirectory[],
  directory: EfiDirectory,
): Pick<StartFault, 'milder' | 'repair'> => {
  const isOwn =
    isRemovable(directory) || posix.basename(directory.path).toLowerCase() === subject.facts.os.id;
  const others = directories.filter((other) => other !== directory);
  if (isOwn) return { repair };
  if (others.some((other) => leadsHere(subject, other))) return { milder: 'info', repair: null };
  return others.some(needsNoConfig) ? { milder: true, repair } : { repair };
};

/** Debian's signed GRUB knows nothing but the directory of its vendor. */
const configFaults = (
  subject: Subject,
  esp: Esp,
  directories: readonly EfiDirectory[],
): readonly StartFault[] => {
  const { devices } = subject;
  return directories.flatMap((directory): readonly StartFault[] => {
    const path = `${directory.path}/grub.cfg`;
    const fault = (text: string): StartFault => ({
      id: 'boot-loader.efi-config',
      title: `${path} on ${nodeOf(esp)} ${text}.`,
      subject: `${nodeOf(esp)} ${path}`,
      evidence: [evidence(esp, path, text)],
      meaning: 'GRUB does not find its menu and stops at the prompt "grub>".',
      ...gradeOf(subject, directories, directory),
    });
    if (!isRemovable(directory) && hasShim(directory) && (directory.config ?? '').trim() === '') {
      return [fault('is missing or empty')];
    }
    const uuid = searchedUuid(directory.config ?? '');
    return uuid === null || devices === null || hasUuid(devices, uuid)
      ? []
      : [fault(`looks for the file system ${uuid}, which is not there`)];
  });
};

/** What starts where no chain that is known is whole; null when nothing does. */
const starterOf = async (
  esp: Esp,
  directories: readonly EfiDirectory[],
): Promise<string | null> => {
  const path = unknownStarter(directories);
  const isImage = path !== null && /^\/efi\/linux\//i.test(path);
  // Where systemd-boot has its settings, it is what has to start an image, and it is gone.
  const settings = isImage ? ((await esp.files?.list('/loader')) ?? []) : [];
  return settings.some(({ name }) => name.toLowerCase() === 'loader.conf') ? null : path;
};

const faultsOf = async (subject: Subject, esp: Esp): Promise<readonly StartFault[]> => {
  if (esp.files === null) return [unreadable(esp)];
  const all = await efiDirectories(esp);
  const directories = ownDirectories(all, subject.facts.architecture);
  if (!directories.some(isWholeChain)) {
    const starter = await starterOf(esp, all);
    return [starter === null ? noProgram(esp, directories) : otherStarter(esp, starter)];
  }
  const broken = directories.flatMap(({ programs }) =>
    programs.flatMap((program) =>
      isKnown(program) && program.damage !== null
        ? [brokenProgram(esp, program.path, program.damage)]
        : [],
    ),
  );
  const lacksEntries = isOnlySystemdBoot(directories) && !(await hasLoaderEntries(subject, esp));
  return [
    ...broken,
    ...(lacksEntries ? [noEntries(esp)] : []),
    ...(hasRemovablePath(all, subject.facts.architecture) ? [] : [noRemovable(esp)]),
    ...configFaults(subject, esp, directories),
  ];
};

/** Firmware that knows the disk only by its own entry: another machine, or new settings, has none. */
const noRemovable = (esp: Esp): StartFault => ({
  id: 'boot-loader.efi-removable',
  milder: 'info',
  title: `Only firmware with an entry of its own starts from ${nodeOf(esp)}: /EFI/BOOT leads nowhere.`,
  subject: nodeOf(esp),
  evidence: [evidence(esp, '/EFI/BOOT', 'holds no boot loader for this system that is whole')],
  meaning:
    'The machine that it was installed on starts. Another one, or the same after its settings were lost, says "No bootable device".',
  repair: 'boot-loader.add-removable',
});

/** Whether anything says that the system starts by UEFI: an empty partition alone does not. */
const wasMadeForEfi = async (subject: Subject, esp: Esp): Promise<boolean> => {
  if ((await efiDirectories(esp)).length > 0) return true;
  const inTable = subject.facts.fstab.some(({ target }) => /^\/(?:boot\/)?efi\/?$/.test(target));
  const modules = ['x86_64-efi', 'arm64-efi'].map((name) => `/boot/grub/${name}`);
  const there = await Promise.all(modules.map((path) => subject.files.isDirectory(path)));
  return inTable || there.includes(true);
};

/** How a machine with UEFI starts from the disks of a system. */
export const lookAtEfiStart = async (subject: Subject): Promise<StartLook> => {
  const esps = await espsOf(subject);
  const used = await Promise.all(esps.map((esp) => wasMadeForEfi(subject, esp)));
  const faults = await Promise.all(
    esps.filter((_, index) => used[index] === true).map((esp) => faultsOf(subject, esp)),
  );
  return { used: used.includes(true), faults: milderWhereOneStarts(faults) };
};
