import { posix } from 'node:path';
import type { Change } from '../../changes/change.ts';
import {
  type EfiDirectory,
  efiDirectories,
  hasRemovablePath,
} from '../../diagnosis/boot-loader/efi-chains.ts';
import type { Esp } from '../../diagnosis/boot-loader/esp.ts';
import { hasLoaderEntries } from '../../diagnosis/boot-loader/loader-entries.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { planned, refused } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';
import { directoriesFor, espMode, onMountedEsp } from './esp-files.ts';
import { type GrubPlaces, grubDirectoryIn, grubPlaces } from './grub-places.ts';

/** Where packages keep the programs that grub-install and bootctl copy to the partition. */
const sources = {
  shim: '/usr/lib/shim/shimx64.efi.signed',
  mokManager: '/usr/lib/shim/mmx64.efi.signed',
  fallback: '/usr/lib/shim/fbx64.efi.signed',
  fallbackList: '/usr/lib/shim/BOOTX64.CSV',
  grub: '/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed',
  systemdBoot: '/usr/lib/systemd/boot/efi/systemd-bootx64.efi',
  /** bootctl takes the signed one where there is one. */
  systemdBootSigned: '/usr/lib/systemd/boot/efi/systemd-bootx64.efi.signed',
} as const;

type Source = keyof typeof sources;
type Wanted = readonly (readonly [target: string, source: Source])[];

/** As grub-install lays them down with Debian's signed programs, and where firmware without an entry looks. */
const grubFiles = (vendor: string): Wanted => [
  [`/EFI/${vendor}/shimx64.efi`, 'shim'],
  [`/EFI/${vendor}/grubx64.efi`, 'grub'],
  [`/EFI/${vendor}/mmx64.efi`, 'mokManager'],
  [`/EFI/${vendor}/fbx64.efi`, 'fallback'],
  [`/EFI/${vendor}/BOOTX64.CSV`, 'fallbackList'],
  ['/EFI/BOOT/BOOTX64.EFI', 'shim'],
  ['/EFI/BOOT/grubx64.efi', 'grub'],
  ['/EFI/BOOT/mmx64.efi', 'mokManager'],
];

const systemdBootFiles = (source: Source): Wanted => [
  ['/EFI/systemd/systemd-bootx64.efi', source],
  ['/EFI/BOOT/BOOTX64.EFI', source],
];

const maxProgramBytes = 16 * 1024 * 1024;

const byHand =
  'Boot the system with rescuekit rescue and run grub-install --target=x86_64-efi --no-nvram, or bootctl install --no-variables, there.';

const stub = (places: GrubPlaces): string =>
  [
    `search.fs_uuid ${places.boot.uuid} root ${places.boot.hint}`,
    `set prefix=($root)'${grubDirectoryIn(places, 'grub')}'`,
    'configfile $prefix/grub.cfg',
    '',
  ].join('\n');

/** Files that differ from the package's; one that the system does not have is left out. */
const fileChanges = async (
  { files }: Subject,
  top: string,
  wanted: Wanted,
): Promise<readonly Change[]> => {
  const changes = await Promise.all(
    wanted.map(async ([target, source]): Promise<readonly Change[]> => {
      const [content, present] = await Promise.all([
        files.bytes(sources[source], maxProgramBytes),
        files.bytes(`${top}${target}`, maxProgramBytes),
      ]);
      if (content === null || present?.equals(content) === true) return [];
      return [
        { kind: 'write-file', path: `${top}${target}`, content, attributes: { mode: espMode } },
      ];
    }),
  );
  return changes.flat();
};

/** The programs with the directories that they need. */
const laidDown = async (
  subject: Subject,
  top: string,
  wanted: Wanted,
): Promise<readonly Change[]> => [
  ...(await directoriesFor(
    subject,
    top,
    wanted.map(([target]) => target),
  )),
  ...(await fileChanges(subject, top, wanted)),
];

const vendorOf = (directories: readonly EfiDirectory[], osId: string | null): string => {
  const names = directories.map(({ path }) => posix.basename(path));
  return names.find((name) => name === osId) ?? osId ?? 'debian';
};

const isRemovable = (path: string): boolean => /^\/efi\/boot\//i.test(path);

/**
 * What is to be written without what stays: a whole program under the removable name may be of another
 * system. shim is whole only with GRUB beside it; of another program only what is damaged beside it
 * comes back.
 */
const withoutWhole = (
  directories: readonly EfiDirectory[],
  architecture: string | null,
  wanted: Wanted,
): Wanted => {
  const all = directories.flatMap(({ programs }) =>
    programs.filter(({ path }) => isRemovable(path)),
  );
  const damaged = new Set(
    all.filter(({ damage }) => damage !== null).map(({ path }) => path.toLowerCase()),
  );
  const first = all.find(({ path }) => path.toLowerCase() === '/efi/boot/bootx64.efi');
  if (first === undefined || first.damage !== null) return wanted;
  if (first.isShim && !hasRemovablePath(directories, architecture)) return wanted;
  return wanted.filter(([target]) => !isRemovable(target) || damaged.has(target.toLowerCase()));
};

const restoreOn = async (subject: Subject, esp: Esp, top: string): Promise<RepairPlan> => {
  const { files, facts } = subject;
  const has = async (source: Source): Promise<boolean> => files.isFilled(sources[source]);
  const [shim, grub, systemdBoot, signed] = await Promise.all([
    has('shim'),
    has('grub'),
    has('systemdBoot'),
    has('systemdBootSigned'),
  ]);
  const directories = await efiDirectories(esp);
  const own = (wanted: Wanted): Wanted => withoutWhole(directories, facts.architecture, wanted);
  const vendor = vendorOf(directories, facts.os.id);
  const isGrub = facts.bootLoaders.some(({ name }) => name === 'grub');
  const places = grubPlaces(subject);
  if (isGrub && shim && grub && places !== null) {
    const wanted = own(grubFiles(vendor));
    const config = `/EFI/${vendor}/grub.cfg`;
    const content = stub(places);
    const same = (await files.read(`${top}${config}`)) === content;
    return planned([
      ...(await laidDown(subject, top, wanted)),
      ...(same
        ? []
        : [
            {
              kind: 'write-file' as const,
              path: `${top}${config}`,
              content,
              attributes: { mode: espMode },
            },
          ]),
    ]);
  }
  // What it is to start, where that is gone as well, is the next repair's.
  if ((systemdBoot || signed) && (!isGrub || (await hasLoaderEntries(subject, esp)))) {
    const wanted = own(systemdBootFiles(signed ? 'systemdBootSigned' : 'systemdBoot'));
    return planned(await laidDown(subject, top, wanted));
  }
  return refused('The programs for UEFI are not on the disk in a package of their own.', byHand);
};

export const restoreEfi: Repair = {
  id: 'boot-loader.restore-efi',
  stage: 'boot-loader',
  title: 'Put the programs for UEFI back on the EFI system partition',
  why: 'UEFI firmware finds no boot loader there that is whole.',
  risk: 'none for the firmware of this machine: its entries are not touched. A whole boot loader under the removable name, which may be of another system, stays',
  proof: 'vm',
  plan: async (subject, findings) =>
    subject.facts.architecture === 'x86_64'
      ? onMountedEsp(subject, findings, byHand, (esp, top) => restoreOn(subject, esp, top))
      : refused('Only programs for 64-bit PCs are known here.', byHand),
};
