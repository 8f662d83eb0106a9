import { posix } from 'node:path';
import type { Change } from '../../changes/change.ts';
import {
  type EfiDirectory,
  type EfiProgram,
  efiDirectories,
  hasRemovablePath,
  isWholeChain,
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

/** `bootx64.efi` or `bootaa64.efi` (UEFI specification, 3.5.1.1), by the program's own name. */
const removableName = (path: string): string =>
  /aa64\.efi$/i.test(path) ? 'BOOTAA64.EFI' : 'BOOTX64.EFI';

/** What goes where: the first program under the removable name, and what it starts beside it. */
const targetsOf = (directory: EfiDirectory): ReadonlyMap<string, string> | null => {
  const first = firstOf(directory);
  if (first === undefined) return null;
  const beside = directory.programs.filter(
    ({ path, kind }) =>
      first.kind === 'shim' && (kind === 'grub' || /\/mm(?:x64|aa64)\.efi$/i.test(path)),
  );
  return new Map([
    [`/EFI/BOOT/${removableName(first.path)}`, first.path],
    ...beside.map(({ path }) => [`/EFI/BOOT/${posix.basename(path)}`, path] as const),
  ]);
};

const copyOn = async (subject: Subject, esp: Esp, top: string): Promise<RepairPlan> => {
  const directories = await efiDirectories(esp);
  if (hasRemovablePath(directories)) return planned([]);
  const own = directories.filter(
    (directory) => !/^\/efi\/boot$/i.test(directory.path) && isWholeChain(directory),
  );
  const named = own.find(({ path }) => posix.basename(path) === subject.facts.os.id);
  const targets = targetsOf(named ?? own[0] ?? { path: '', programs: [], config: null });
  if (targets === null) return refused('No boot loader on the partition is whole.', byHand);
  const changes: Change[] = [];
  for (const [target, from] of targets) {
    const content = (await esp.files?.read(from, maxProgramBytes)) ?? null;
    if (content === null) return refused(`${from} cannot be read.`, byHand);
    changes.push({
      ...{ kind: 'write-file', path: `${top}${target}`, content },
      attributes: { mode: espMode },
    });
  }
  return planned([...(await directoriesFor(subject, top, [...targets.keys()])), ...changes]);
};

export const addRemovable: Repair = {
  id: 'boot-loader.add-removable',
  stage: 'boot-loader',
  title: 'Put the boot loader where firmware without an entry of its own looks',
  why: 'Only the machine that the system was installed on has an entry for it in its firmware.',
  risk: 'none: what is started is a copy of what the firmware starts already',
  proof: 'vm',
  plan: (subject) => onMountedEsp(subject, byHand, (esp, top) => copyOn(subject, esp, top)),
};
