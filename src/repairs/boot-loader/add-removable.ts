import { posix } from 'node:path';
import type { Change } from '../../changes/change.ts';
import {
  type EfiDirectory,
  type EfiProgram,
  efiDirectories,
  efiSuffix,
  hasRemovablePath,
  isWholeChain,
  onlyFor,
  suffixOf,
} from '../../diagnosis/boot-loader/efi-chains.ts';
import type { Esp } from '../../diagnosis/boot-loader/esp.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { planned, refused } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';
import { directoriesFor, espMode, onMountedEsp } from './esp-files.ts';

const maxProgramBytes = 16 * 1024 * 1024;

const byHand =
  'Boot the system with rescuekit rescue and run grub-install --removable --no-nvram, or bootctl install --no-variables, there.';

/** The program that the firmware is to start: shim before the GRUB that it starts. */
const firstOf = ({ programs }: EfiDirectory): EfiProgram | undefined =>
  (['shim', 'grub', 'systemd-boot'] as const)
    .map((kind) => programs.find((program) => program.kind === kind && program.damage === null))
    .find((program) => program !== undefined);

/**
 * What goes where: the first program under the name that the firmware looks for, `BOOTX64.EFI` or
 * `BOOTAA64.EFI` (UEFI specification, 3.5.1.1), and what it starts beside it. Null without one, or
 * where neither the system nor the program's name tells for which machine it is.
 */
const targetsOf = (
  directory: EfiDirectory,
  architecture: string | null,
): ReadonlyMap<string, string> | null => {
  const first = firstOf(directory);
  const suffix = efiSuffix(architecture) ?? suffixOf(first?.path ?? '');
  if (first === undefined || suffix === null) return null;
  const beside = directory.programs.filter(
    ({ path, kind }) =>
      first.kind === 'shim' && (kind === 'grub' || /\/mm(?:x64|aa64)\.efi$/i.test(path)),
  );
  return new Map([
    [`/EFI/BOOT/BOOT${suffix.toUpperCase()}.EFI`, first.path],
    ...beside.map(({ path }) => [`/EFI/BOOT/${posix.basename(path)}`, path] as const),
  ]);
};

const mebibyte = 1024 * 1024;

/** Why there is no room for it, in words. Directories, and what FAT rounds up, take a little more. */
const roomProblem = async (
  { host, files, root }: Subject,
  top: string,
  bytes: number,
): Promise<string | null> => {
  const directory = await files.locate(top);
  const free = await host.files.freeBytes(directory?.hostPath ?? root);
  if (free >= bytes + mebibyte) return null;
  const [needed, there] = [Math.ceil(bytes / mebibyte) + 1, Math.floor(free / mebibyte)];
  return `They need ${needed} MiB on the EFI system partition, and only ${there} MiB are free there.`;
};

const copyOn = async (subject: Subject, esp: Esp, top: string): Promise<RepairPlan> => {
  const { architecture } = subject.facts;
  const all = await efiDirectories(esp);
  if (hasRemovablePath(all, architecture)) return planned([]);
  const directories = all.map((directory) => onlyFor(directory, architecture));
  const own = directories.filter(
    (directory) => !/^\/efi\/boot$/i.test(directory.path) && isWholeChain(directory),
  );
  const named = own.find(({ path }) => posix.basename(path) === subject.facts.os.id);
  const chosen = named ?? own[0] ?? { path: '', programs: [], config: null };
  const targets = targetsOf(chosen, architecture);
  if (targets === null) {
    return refused('No boot loader for this system on the partition is whole.', byHand);
  }
  const changes: Change[] = [];
  let bytes = 0;
  for (const [target, from] of targets) {
    const content = (await esp.files?.read(from, maxProgramBytes)) ?? null;
    // What fills the limit may be cut.
    if (content === null || content.length === maxProgramBytes) {
      return refused(`${from} cannot be read whole.`, byHand);
    }
    bytes += content.length;
    changes.push({
      ...{ kind: 'write-file', path: `${top}${target}`, content },
      attributes: { mode: espMode },
    });
  }
  const room = await roomProblem(subject, top, bytes);
  return room === null
    ? planned([...(await directoriesFor(subject, top, [...targets.keys()])), ...changes])
    : refused(room, 'Remove what is not needed from the EFI system partition, then repair again.');
};

export const addRemovable: Repair = {
  id: 'boot-loader.add-removable',
  stage: 'boot-loader',
  title: 'Put the boot loader where firmware without an entry of its own looks',
  why: 'Only the machine that the system was installed on has an entry for it in its firmware.',
  risk: 'none: what is started is a copy of what the firmware starts already',
  proof: 'vm',
  plan: (subject, findings) =>
    onMountedEsp(subject, findings, byHand, (esp, top) => copyOn(subject, esp, top)),
};
