import type { Esp, EspEntry, EspFiles } from './esp.ts';

type ProgramKind = 'shim' | 'grub' | 'systemd-boot' | 'removable' | 'other';

/** A program for the firmware to start, and what it starts in turn. */
export type EfiProgram = {
  /** Path on the partition: `/EFI/debian/shimx64.efi`. */
  readonly path: string;
  readonly kind: ProgramKind;
  /** Why it cannot be started, in words; null when it begins as a program does. */
  readonly damage: string | null;
  /** Whether it is shim by what it holds, whatever its name. */
  readonly isShim: boolean;
};

export type EfiDirectory = {
  /** `/EFI/debian`. */
  readonly path: string;
  readonly programs: readonly EfiProgram[];
  /** Text of `grub.cfg` in it; null when there is none. */
  readonly config: string | null;
};

/** What the names of programs end in for each kind of machine (UEFI 3.5.1.1). */
const machine = '(x64|aa64|ia32|riscv64|loongarch64)';

const kindNames: readonly (readonly [ProgramKind, RegExp])[] = [
  ['shim', new RegExp(`^shim${machine}\\.efi$`, 'i')],
  ['grub', new RegExp(`^grub${machine}?\\.efi$`, 'i')],
  ['systemd-boot', new RegExp(`^systemd-boot${machine}\\.efi$`, 'i')],
  ['removable', new RegExp(`^boot${machine}\\.efi$`, 'i')],
];

const kindOf = (name: string): ProgramKind =>
  kindNames.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other';

/** shim says so in its version text (rhboot/shim, version.c.in). */
const shimMark = 'UEFI SHIM';

type Look = Pick<EfiProgram, 'damage' | 'isShim'>;

/** @param isRead whether it is read to its end: a program that is not known here is not. */
const lookAt = async (
  files: EspFiles,
  path: string,
  entry: EspEntry,
  isRead: boolean,
): Promise<Look> => {
  if (entry.sizeBytes === 0) return { damage: 'is empty', isShim: false };
  const head = await files.read(path, 64);
  // Each EFI program begins as a program of DOS did.
  if (head === null || head.length < 64 || head.toString('latin1', 0, 2) !== 'MZ') {
    return { damage: 'is no program', isShim: false };
  }
  if (!isRead) return { damage: null, isShim: false };
  const whole = await files.read(path, entry.sizeBytes);
  return whole === null || whole.length < entry.sizeBytes
    ? { damage: 'is cut off', isShim: false }
    : { damage: null, isShim: whole.includes(shimMark) };
};

const directoryOf = async (files: EspFiles, path: string): Promise<EfiDirectory> => {
  const entries = (await files.list(path)) ?? [];
  const named = entries.filter(({ name, isDirectory }) => !isDirectory && /\.efi$/i.test(name));
  const programs = await Promise.all(
    // A recovery partition may hold many tools; these are enough.
    named.slice(0, 32).map(async (entry): Promise<EfiProgram> => {
      const program = `${path}/${entry.name}`;
      const kind = kindOf(entry.name);
      return { path: program, kind, ...(await lookAt(files, program, entry, kind !== 'other')) };
    }),
  );
  const config = entries.find(({ name }) => name.toLowerCase() === 'grub.cfg');
  const text = config === undefined ? null : await files.read(`${path}/${config.name}`, 64 * 1024);
  return { path, programs, config: text?.toString('utf8') ?? null };
};

/** The directories below `/EFI` with their programs. */
export const efiDirectories = async ({ files }: Esp): Promise<readonly EfiDirectory[]> => {
  if (files === null) return [];
  const top = (await files.list('')) ?? (await files.list('/')) ?? [];
  const efi = top.find(({ name, isDirectory }) => isDirectory && name.toLowerCase() === 'efi');
  const entries = efi === undefined ? [] : ((await files.list(`/${efi.name}`)) ?? []);
  return Promise.all(
    entries
      .filter(({ isDirectory }) => isDirectory)
      .slice(0, 32)
      .map(({ name }) => directoryOf(files, `/${efi?.name}/${name}`)),
  );
};

/** Whether the firmware gets to a menu or a kernel through this directory. */
export const isWholeChain = ({ programs }: EfiDirectory): boolean => {
  const whole = (kind: EfiProgram['kind']): boolean =>
    programs.some((program) => program.kind === kind && program.damage === null);
  const there = (kind: EfiProgram['kind']): boolean =>
    programs.some((program) => program.kind === kind);
  if (whole('systemd-boot')) return true;
  // shim starts the GRUB that lies beside it; the removable name may be shim itself.
  if (there('shim')) return whole('shim') && whole('grub');
  if (programs.some(({ kind, isShim }) => kind === 'removable' && isShim)) return whole('grub');
  if (there('removable')) return whole('removable') && (!there('grub') || whole('grub'));
  return whole('grub');
};

/** What the names of programs end in for a machine; null for others than these. */
const suffixes: Readonly<Record<string, 'x64' | 'aa64'>> = { x86_64: 'x64', aarch64: 'aa64' };

export const efiSuffix = (architecture: string | null): 'x64' | 'aa64' | null =>
  suffixes[architecture ?? ''] ?? null;

const suffixPattern = new RegExp(`${machine}\\.efi$`, 'i');

/** What a program's own name says of the machine that it is for: `x64`; null when it says nothing. */
export const suffixOf = (path: string): string | null =>
  suffixPattern.exec(path)?.[1]?.toLowerCase() ?? null;

/** A directory without the programs that are certainly for other machines. */
export const onlyFor = (directory: EfiDirectory, architecture: string | null): EfiDirectory => {
  const wanted = efiSuffix(architecture);
  const isOwn = ({ path }: EfiProgram): boolean => (suffixOf(path) ?? wanted) === wanted;
  return wanted === null ? directory : { ...directory, programs: directory.programs.filter(isOwn) };
};

/** Whether it is a boot loader that is looked into here. */
export const isKnown = ({ kind }: EfiProgram): boolean => kind !== 'other';

/**
 * The directories with the programs that count for a system: those of its own kind of machine, or all
 * where there are none such, as on a 64-bit PC whose firmware has 32 bits.
 */
export const ownDirectories = (
  directories: readonly EfiDirectory[],
  architecture: string | null,
): readonly EfiDirectory[] => {
  const own = directories.map((directory) => onlyFor(directory, architecture));
  return own.some(({ programs }) => programs.some(isKnown)) ? own : directories;
};

/** What shim, firmware and their makers lay down, which starts no system. */
const helpers =
  /\/(?:mm|fb|mokmanager|fallback|fwup|memtest|shell|bootmgr|bootmgfw|hashtool|keytool)[^/]*\.efi$/i;
const makers = /^\/efi\/(?:microsoft|apple|asus|dell|hp|intel|lenovo|oem|tools|fw|memtest86)\//i;

/**
 * A whole program that is none of those which are known here: rEFInd, Limine, the firmware's own
 * start of a kernel. Null where any known one is, whole or not, and without such a program.
 */
export const unknownStarter = (directories: readonly EfiDirectory[]): string | null => {
  const programs = directories.flatMap((directory) => directory.programs);
  if (programs.some(isKnown)) return null;
  return (
    programs.find(
      ({ path, damage }) => damage === null && !helpers.test(path) && !makers.test(path),
    )?.path ?? null
  );
};

/** Some 64-bit PCs have firmware of 32 bits, which starts its own kind of programs only. */
const onlyIa32 = (directory: EfiDirectory): EfiDirectory => ({
  ...directory,
  programs: directory.programs.filter(({ path }) => (suffixOf(path) ?? 'ia32') === 'ia32'),
});

/** The fallback program of shim; SUSE leaves the machine out of its name. */
const fallbackPattern = new RegExp(`/(?:fb${machine}|fallback)\\.efi$`, 'i');

/**
 * Whether firmware without an entry of its own gets on from `/EFI/BOOT` (UEFI 3.5.1.1).
 *
 * @param architecture of the system; null when it is not known: then it may be any.
 */
export const hasRemovablePath = (
  directories: readonly EfiDirectory[],
  architecture: string | null,
): boolean => {
  const found = directories.find(({ path }) => /^\/efi\/boot$/i.test(path));
  const own = found === undefined ? undefined : onlyFor(found, architecture);
  const place =
    found !== undefined && architecture === 'x86_64' && own?.programs.some(isKnown) !== true
      ? onlyIa32(found)
      : own;
  const program = place?.programs.find(({ kind }) => kind === 'removable');
  if (place === undefined || program === undefined || program.damage !== null) return false;
  // shim with its fallback program makes the entries of the vendors' directories anew.
  const leadsOn = place.programs.some(({ path }) => fallbackPattern.test(path));
  return isWholeChain(place) || (program.isShim && leadsOn);
};
