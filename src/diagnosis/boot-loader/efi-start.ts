import { plainText } from '../../host/plain-text.ts';
import type { Evidence } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { milderWhereOneStarts, type StartFault, type StartLook } from './bios-start.ts';
import { type EfiDirectory, efiDirectories, hasRemovablePath, isWholeChain } from './efi-chains.ts';
import { type Esp, espsOf } from './esp.ts';
import { hasLoaderEntries, isOnlySystemdBoot } from './loader-entries.ts';
import { searchedUuid } from './menu-text.ts';
import { hasUuid } from './start-place.ts';

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
    .filter(({ damage }) => damage !== null);
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

/** Debian's signed GRUB knows nothing but the directory of its vendor. */
const configFaults = (
  subject: Subject,
  esp: Esp,
  directories: readonly EfiDirectory[],
): readonly StartFault[] => {
  const { devices } = subject;
  return directories.flatMap((directory): readonly StartFault[] => {
    const isVendor = !/\/boot$/i.test(directory.path);
    const hasShim = directory.programs.some(({ kind }) => kind === 'shim');
    const path = `${directory.path}/grub.cfg`;
    const fault = (text: string): StartFault => ({
      id: 'boot-loader.efi-config',
      title: `${path} on ${nodeOf(esp)} ${text}.`,
      subject: `${nodeOf(esp)} ${path}`,
      evidence: [evidence(esp, path, text)],
      meaning: 'GRUB does not find its menu and stops at the prompt "grub>".',
      repair,
    });
    if (isVendor && hasShim && (directory.config ?? '').trim() === '') {
      return [fault('is missing or empty')];
    }
    const uuid = searchedUuid(directory.config ?? '');
    return uuid === null || devices === null || hasUuid(devices, uuid)
      ? []
      : [fault(`looks for the file system ${uuid}, which is not there`)];
  });
};

const faultsOf = async (subject: Subject, esp: Esp): Promise<readonly StartFault[]> => {
  if (esp.files === null) return [unreadable(esp)];
  const directories = await efiDirectories(esp);
  if (!directories.some(isWholeChain)) return [noProgram(esp, directories)];
  const broken = directories.flatMap(({ programs }) =>
    programs.flatMap(({ path, damage }) =>
      damage === null ? [] : [brokenProgram(esp, path, damage)],
    ),
  );
  const lacksEntries = isOnlySystemdBoot(directories) && !(await hasLoaderEntries(subject, esp));
  return [
    ...broken,
    ...(lacksEntries ? [noEntries(esp)] : []),
    ...(hasRemovablePath(directories, subject.facts.architecture) ? [] : [noRemovable(esp)]),
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
