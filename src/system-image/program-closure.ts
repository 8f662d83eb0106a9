import { type ElfFault, type ElfImage, readElfImage } from './elf-image.ts';
import { cachedLibraries, libraryDirectories } from './library-paths.ts';
import type { SystemFiles } from './system-files.ts';

/** What keeps a program from starting, found without starting it. */
export type ProgramFault = {
  readonly kind: 'program' | 'loader' | 'library';
  /** Path inside the system; for a library that is nowhere, its name. */
  readonly path: string;
  readonly fault: ElfFault | 'missing' | 'not-executable' | 'wrong-machine' | 'lacks-version';
  /** The machine that it is for, or the version that it lacks; empty where there is nothing to add. */
  readonly detail: string;
};

/** Larger ones are read to here: no library that a boot needs comes near. */
const maxBytes = 64 * 1024 * 1024;
/** A closure has some dozens; a made-up one ends here. */
const mostObjects = 400;

type Loaded = { readonly path: string; readonly image: ElfImage };
type Opened = Loaded | { readonly path: string; readonly fault: ElfFault | 'script' };

export type ProgramReader = {
  /** What is wrong with a program and all that the loader would take in for it; empty when nothing. */
  readonly faultsOf: (program: string, machine: string | null) => Promise<readonly ProgramFault[]>;
  /** Machine of an ELF program; null for scripts and for what is absent or broken. */
  readonly machineOf: (program: string) => Promise<string | null>;
  /**
   * What is wrong with an object that is loaded into every program, by path or name: the first fault
   * is its own when its path or name is in it, all others are of what it needs.
   */
  readonly faultsOfLibrary: (name: string, machine: string) => Promise<readonly ProgramFault[]>;
};

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const isLoaded = (opened: Opened): opened is Loaded => 'image' in opened;

/** ld.so(8): `$ORIGIN` is the directory of the object; `$LIB` depends on how the loader was built. */
const expand = (path: string, object: string): readonly string[] => {
  const here = path.replace(/\$(?:ORIGIN|\{ORIGIN\})/g, directoryOf(object));
  const library = /\$(?:LIB|\{LIB\})/g;
  if (!library.test(here)) return [here];
  return ['lib', 'lib64', 'lib/x86_64-linux-gnu'].map((name) => here.replace(library, name));
};

const open = async (files: SystemFiles, path: string): Promise<Opened | null> => {
  const found = await files.locate(path);
  if (found?.status.kind !== 'file') return null;
  const bytes = await files.bytes(found.path, maxBytes);
  if (bytes === null) return null;
  const read = readElfImage(bytes, found.status.sizeBytes);
  if (typeof read !== 'string') return { path: found.path, image: read };
  const script = read === 'not-elf' && bytes.subarray(0, 2).toString('latin1') === '#!';
  return { path: found.path, fault: script ? 'script' : read };
};

const nothing: ElfImage = {
  machine: '',
  interpreter: null,
  needed: [],
  soname: null,
  rpath: [],
  runpath: [],
  wants: [],
  versions: [],
};

type Search = {
  readonly openOnce: (path: string) => Promise<Opened | null>;
  readonly directories: readonly string[];
  readonly cache: ReadonlyMap<string, readonly string[]>;
};

const candidates = (
  search: Search,
  name: string,
  object: Loaded,
  top: Loaded,
): readonly string[] => {
  if (name.includes('/')) return expand(name, object.path);
  // DT_RPATH counts only without DT_RUNPATH, and the program's is searched for its libraries, too.
  const own = object.image.runpath.length > 0 ? object.image.runpath : object.image.rpath;
  const inherited = top.image.runpath.length > 0 ? [] : top.image.rpath;
  const first = [
    ...own.flatMap((path) => expand(path, object.path)),
    ...inherited.flatMap((path) => expand(path, top.path)),
  ];
  return [
    ...[...first, ...search.directories].map((directory) => `${directory}/${name}`),
    ...(search.cache.get(name) ?? []),
  ];
};

type Found = { readonly object: Loaded } | { readonly broken: ProgramFault };

/** The first one of the right machine: the loader passes over others, and stops at a broken one. */
const findLibrary = async (
  search: Search,
  name: string,
  object: Loaded,
  top: Loaded,
): Promise<Found> => {
  const { machine } = top.image;
  let foreign: Loaded | null = null;
  for (const path of candidates(search, name, object, top)) {
    const opened = await search.openOnce(path);
    if (opened === null) continue;
    if (!isLoaded(opened)) {
      const fault = opened.fault === 'script' ? 'not-elf' : opened.fault;
      return { broken: { kind: 'library', path: opened.path, fault, detail: '' } };
    }
    if (opened.image.machine === machine) return { object: opened };
    foreign = opened;
  }
  if (foreign === null) {
    return { broken: { kind: 'library', path: name, fault: 'missing', detail: '' } };
  }
  const { path, image } = foreign;
  return { broken: { kind: 'library', path, fault: 'wrong-machine', detail: image.machine } };
};

const lackingVersions = (
  objects: readonly Loaded[],
  byName: ReadonlyMap<string, Loaded>,
): readonly ProgramFault[] =>
  objects.flatMap(({ image }) =>
    image.wants.flatMap(({ library, version }) => {
      const found = byName.get(library);
      // A library without any versions is taken with a warning (dl-version.c).
      if (found === undefined || found.image.versions.length === 0) return [];
      if (found.image.versions.includes(version)) return [];
      return [
        { kind: 'library', path: found.path, fault: 'lacks-version', detail: version } as const,
      ];
    }),
  );

const closureFaults = async (
  search: Search,
  top: Loaded,
  loader: Loaded | null,
): Promise<readonly ProgramFault[]> => {
  const byName = new Map<string, Loaded>();
  const { interpreter } = top.image;
  if (loader !== null) byName.set(baseName(interpreter ?? loader.path), loader);
  const [faults, queue]: [ProgramFault[], Loaded[]] = [[], [top]];
  // A broken loader is a fault of its own; libc needs it by its name and would report it again.
  const asked = new Set<string>(interpreter === null ? [] : [baseName(interpreter)]);
  for (let index = 0; index < queue.length && index < mostObjects; index += 1) {
    const object = queue[index];
    if (object === undefined) break;
    for (const name of object.image.needed) {
      if (asked.has(name)) continue;
      asked.add(name);
      const found = await findLibrary(search, name, object, top);
      if ('broken' in found) {
        faults.push(found.broken);
        continue;
      }
      byName.set(name, found.object);
      queue.push(found.object);
    }
  }
  return [...faults, ...lackingVersions(queue, byName)];
};

const loaderOf = async (
  search: Search,
  top: Loaded,
): Promise<{ readonly loader: Loaded | null; readonly faults: readonly ProgramFault[] }> => {
  const { interpreter, machine } = top.image;
  if (interpreter === null) return { loader: null, faults: [] };
  const opened = await search.openOnce(interpreter);
  const broken = (fault: ProgramFault['fault'], detail = '') => ({
    loader: null,
    faults: [{ kind: 'loader', path: interpreter, fault, detail } as const],
  });
  if (opened === null) return broken('missing');
  if (!isLoaded(opened)) return broken(opened.fault === 'script' ? 'not-elf' : opened.fault);
  if (opened.image.machine !== machine) return broken('wrong-machine', opened.image.machine);
  return { loader: opened, faults: [] };
};

const unique = (faults: readonly ProgramFault[]): readonly ProgramFault[] => [
  ...new Map(
    faults.map((fault) => [`${fault.path} ${fault.fault} ${fault.detail}`, fault]),
  ).values(),
];

const programFaults = async (
  files: SystemFiles,
  search: Search,
  program: string,
  machine: string | null,
): Promise<readonly ProgramFault[]> => {
  const broken = (
    path: string,
    fault: ProgramFault['fault'],
    detail = '',
  ): readonly ProgramFault[] => [{ kind: 'program', path, fault, detail }];
  const opened = await search.openOnce(program);
  if (opened === null) return broken(program, 'missing');
  const status = await files.status(opened.path);
  if (!isLoaded(opened)) {
    if (opened.fault !== 'script') return broken(opened.path, opened.fault);
  } else if (machine !== null && opened.image.machine !== machine) {
    return broken(opened.path, 'wrong-machine', opened.image.machine);
  }
  if (((status?.mode ?? 0) & 0o111) === 0) return broken(opened.path, 'not-executable');
  if (!isLoaded(opened)) return [];
  const { loader, faults } = await loaderOf(search, opened);
  return unique([...faults, ...(await closureFaults(search, opened, loader))]);
};

/**
 * Reads programs as the kernel and the dynamic loader would, without running anything: header,
 * loader, and every library down to the last one (DT_NEEDED), with the symbol versions that they
 * want of each other. What is opened once is kept, so that many programs cost little more than one.
 */
export const programReader = async (files: SystemFiles): Promise<ProgramReader> => {
  const opened = new Map<string, Promise<Opened | null>>();
  const openOnce = (path: string): Promise<Opened | null> => {
    const known = opened.get(path) ?? open(files, path);
    opened.set(path, known);
    return known;
  };
  const [directories, cache] = await Promise.all([
    libraryDirectories(files),
    cachedLibraries(files),
  ]);
  const search: Search = { openOnce, directories, cache };
  return {
    faultsOf: (program, machine) => programFaults(files, search, program, machine),
    machineOf: async (program) => {
      const found = await openOnce(program);
      return found !== null && isLoaded(found) ? found.image.machine : null;
    },
    faultsOfLibrary: async (name, machine) => {
      const image = { ...nothing, machine };
      const top: Loaded = { path: '/', image };
      const found = await findLibrary(search, name, top, top);
      if ('broken' in found) return [found.broken];
      return unique(await closureFaults(search, found.object, null));
    },
  };
};
