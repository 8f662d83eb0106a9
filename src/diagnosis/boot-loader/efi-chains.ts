import type { Esp, EspEntry, EspFiles } from './esp.ts';

/** A program for the firmware to start, and what it starts in turn. */
export type EfiProgram = {
  /** Path on the partition: `/EFI/debian/shimx64.efi`. */
  readonly path: string;
  readonly kind: 'shim' | 'grub' | 'systemd-boot' | 'removable' | 'other';
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

/** Names of programs for 64-bit PCs and ARM; others are left alone. */
const kindOf = (name: string): EfiProgram['kind'] => {
  if (/^shim(?:x64|aa64)\.efi$/i.test(name)) return 'shim';
  if (/^grub(?:x64|aa64)?\.efi$/i.test(name)) return 'grub';
  if (/^systemd-boot(?:x64|aa64)\.efi$/i.test(name)) return 'systemd-boot';
  return /^boot(?:x64|aa64)\.efi$/i.test(name) ? 'removable' : 'other';
};

/** shim says so in its version text (rhboot/shim, version.c.in). */
const shimMark = 'UEFI SHIM';

type Look = Pick<EfiProgram, 'damage' | 'isShim'>;

const lookAt = async (files: EspFiles, path: string, entry: EspEntry): Promise<Look> => {
  if (entry.sizeBytes === 0) return { damage: 'is empty', isShim: false };
  const head = await files.read(path, 64);
  // Each EFI program begins as a program of DOS did.
  if (head === null || head.length < 64 || head.toString('latin1', 0, 2) !== 'MZ') {
    return { damage: 'is no program', isShim: false };
  }
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
      const nothing: Look = { damage: null, isShim: false };
      const look = kind === 'other' ? nothing : await lookAt(files, program, entry);
      return { path: program, kind, ...look };
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

/** What the names of programs end in for a machine (UEFI 3.5.1.1); null for others than these. */
const suffixes: Readonly<Record<string, 'x64' | 'aa64'>> = { x86_64: 'x64', aarch64: 'aa64' };

export const efiSuffix = (architecture: string | null): 'x64' | 'aa64' | null =>
  suffixes[architecture ?? ''] ?? null;

/** What a program's own name says of the machine that it is for: `x64`; null when it says nothing. */
export const suffixOf = (path: string): string | null =>
  /(x64|aa64)\.efi$/i.exec(path)?.[1]?.toLowerCase() ?? null;

/** A directory without the programs that are certainly for other machines. */
export const onlyFor = (directory: EfiDirectory, architecture: string | null): EfiDirectory => {
  const wanted = efiSuffix(architecture);
  const isOwn = ({ path }: EfiProgram): boolean => (suffixOf(path) ?? wanted) === wanted;
  return wanted === null ? directory : { ...directory, programs: directory.programs.filter(isOwn) };
};

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
  const place = found === undefined ? undefined : onlyFor(found, architecture);
  const program = place?.programs.find(({ kind }) => kind === 'removable');
  if (place === undefined || program === undefined || program.damage !== null) return false;
  // shim with its fallback program makes the entries of the vendors' directories anew.
  const leadsOn = place.programs.some(({ path }) => /\/fb(?:x64|aa64)\.efi$/i.test(path));
  return isWholeChain(place) || (program.isShim && leadsOn);
};
