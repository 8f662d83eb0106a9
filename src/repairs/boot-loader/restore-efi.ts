import { posix } from 'node:path';
import type { Change } from '../../changes/change.ts';
import { efiDirectories } from '../../diagnosis/boot-loader/efi-chains.ts';
import { type Esp, espsOf } from '../../diagnosis/boot-loader/esp.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { planned, refused } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';
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

const directoriesFor = async (
  { files }: Subject,
  top: string,
  targets: readonly string[],
): Promise<readonly Change[]> => {
  const paths = ['/EFI', ...new Set(targets.map((target) => posix.dirname(target)))];
  const there = await Promise.all(paths.map((path) => files.isDirectory(`${top}${path}`)));
  return paths
    .filter((_, index) => there[index] !== true)
    .map((path) => ({
      kind: 'make-directory',
      path: `${top}${path}`,
      attributes: { mode: 0o700, uid: 0, gid: 0 },
    }));
};

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
        { kind: 'write-file', path: `${top}${target}`, content, attributes: { mode: 0o700 } },
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

const vendorOf = async (esp: Esp, osId: string | null): Promise<string> => {
  const names = (await efiDirectories(esp)).map(({ path }) => posix.basename(path));
  return names.find((name) => name === osId) ?? osId ?? 'debian';
};

/** Whether systemd-boot has something to start: entries, also on a /boot of its own, or images. */
const hasEntries = async ({ files }: Subject, top: string): Promise<boolean> => {
  const names = await Promise.all(
    [`${top}/loader/entries`, '/boot/loader/entries', `${top}/EFI/Linux`].map((path) =>
      files.list(path),
    ),
  );
  return names.flatMap((list) => list ?? []).some((name) => /\.(?:conf|efi)$/i.test(name));
};

const restoreOn = async (subject: Subject, esp: Esp, top: string): Promise<RepairPlan> => {
  const { files, facts } = subject;
  const has = async (source: Source): Promise<boolean> => files.isFilled(sources[source]);
  const [shim, grub, systemdBoot, signed, entries] = await Promise.all([
    has('shim'),
    has('grub'),
    has('systemdBoot'),
    has('systemdBootSigned'),
    hasEntries(subject, top),
  ]);
  const vendor = await vendorOf(esp, facts.os.id);
  const isGrub = facts.bootLoaders.some(({ name }) => name === 'grub');
  const places = grubPlaces(subject);
  if (isGrub && shim && grub && places !== null) {
    const wanted = grubFiles(vendor);
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
              attributes: { mode: 0o700 },
            },
          ]),
    ]);
  }
  if ((systemdBoot || signed) && entries) {
    const wanted = systemdBootFiles(signed ? 'systemdBootSigned' : 'systemdBoot');
    return planned(await laidDown(subject, top, wanted));
  }
  if (!isGrub && (systemdBoot || signed)) {
    return refused(
      'The boot entries (loader/entries, EFI/Linux) are gone from the EFI system partition, and systemd-boot starts nothing without them.',
      'Boot the system with rescuekit rescue and run bootctl install --no-variables and kernel-install add-all (or kernel-install add VERSION /boot/vmlinuz-VERSION) there.',
    );
  }
  return refused('The programs for UEFI are not on the disk in a package of their own.', byHand);
};

export const restoreEfi: Repair = {
  id: 'boot-loader.restore-efi',
  stage: 'boot-loader',
  title: 'Put the programs for UEFI back on the EFI system partition',
  why: 'UEFI firmware finds no boot loader there that is whole.',
  risk: 'none for the firmware of this machine: its entries are not touched',
  proof: 'vm',
  plan: async (subject) => {
    const [esp] = await espsOf(subject);
    if (esp === undefined) return refused('There is no EFI system partition.', byHand);
    if (subject.facts.architecture !== 'x86_64') {
      return refused('Only programs for 64-bit PCs are known here.', byHand);
    }
    if (esp.mountedAt === null) {
      return refused(
        'The EFI system partition is not mounted here, so nothing can be written to it.',
        'Name it in /etc/fstab (vfat, /boot/efi), or use a rescue host whose kernel has vfat.',
      );
    }
    return restoreOn(subject, esp, esp.mountedAt);
  },
};
