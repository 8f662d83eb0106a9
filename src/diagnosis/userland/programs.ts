import { type ProgramFault, programReader } from '../../system-image/program-closure.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { type EssentialProgram, essentialPrograms, isExpected } from './essential-programs.ts';
import { atFile } from './evidence.ts';
import { faultWords } from './fault-words.ts';

type Fault = ProgramFault & { readonly user: EssentialProgram & { readonly path: string } };

/** Where the program is, or its first path when it is nowhere. */
const placeOf = async (subject: Subject, { paths }: EssentialProgram): Promise<string | null> => {
  const found = await Promise.all(paths.map((path) => subject.files.entry(path)));
  return paths.find((_, index) => found[index] !== null) ?? null;
};

/** The machine of most of them: one program alone may be the wrong one, and so may the init. */
const commonest = (machines: readonly (string | null)[]): string | null => {
  const counts = new Map<string, number>();
  for (const machine of machines) {
    if (machine !== null) counts.set(machine, (counts.get(machine) ?? 0) + 1);
  }
  return [...counts].toSorted((one, other) => other[1] - one[1])[0]?.[0] ?? null;
};

const ids = {
  program: 'userland.program',
  loader: 'userland.loader',
  library: 'userland.library',
} as const;

const titles = {
  program: (fault: Fault) => `The program ${fault.path} ${faultWords(fault)}`,
  loader: (fault: Fault) => `The dynamic loader ${fault.path} ${faultWords(fault)}`,
  library: (fault: Fault) => `The library ${fault.path} ${faultWords(fault)}`,
} as const;

const meaningOf = (kind: ProgramFault['kind'], faults: readonly Fault[]): string => {
  const names = [...new Set(faults.map(({ user }) => user.name))];
  const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ' and others' : '');
  const effects = [...new Set(faults.map(({ user }) => user.effect))].slice(0, 2).join(' ');
  return kind === 'program' ? effects : `Without it ${shown} cannot start. ${effects}`;
};

const findingOf = (faults: readonly [Fault, ...Fault[]]): Finding => {
  const [first] = faults;
  const severe = faults.some(({ user }) => user.severity === 'critical');
  return {
    id: ids[first.kind],
    severity: severe ? 'critical' : 'warning',
    title: titles[first.kind](first),
    subject: first.path,
    evidence: [
      atFile(first.path, faultWords(first)),
      ...(first.kind === 'program'
        ? []
        : faults.slice(0, 3).map(({ user }) => atFile(user.path, `needs ${first.path}`))),
    ],
    meaning: meaningOf(first.kind, faults),
    repair: 'userland.restore-file',
  };
};

/** One finding for each thing that is broken, however many programs need it. */
const grouped = (faults: readonly Fault[]): readonly Finding[] => {
  const groups = new Map<string, [Fault, ...Fault[]]>();
  for (const fault of faults) {
    const group = groups.get(fault.path);
    if (group === undefined) groups.set(fault.path, [fault]);
    else group.push(fault);
  }
  return [...groups.values()].map(findingOf);
};

/** A missing /bin or /usr is reported as that, and not once more for everything in it. */
const hasItsLayout = ({ facts, mounts }: Subject): boolean =>
  !facts.missing.some((path) => /^\/(?:bin|sbin|lib\w*|usr)$/.test(path)) &&
  !mounts.some(({ target, state }) => target === '/usr' && state !== 'mount');

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  if (!hasItsLayout(subject)) return [];
  const reader = await programReader(subject.files);
  const programs = essentialPrograms(subject.facts);
  const places = await Promise.all(programs.map((program) => placeOf(subject, program)));
  const machine = commonest(
    await Promise.all(places.map((path) => (path === null ? null : reader.machineOf(path)))),
  );
  const faults: readonly Fault[][] = await Promise.all(
    programs.map(async (program, index) => {
      const path = places[index] ?? program.paths[0];
      if (path === undefined) return [];
      const found = await reader.faultsOf(path, machine);
      const missing = found.some(({ kind, fault }) => kind === 'program' && fault === 'missing');
      if (missing && !(await isExpected(subject, program))) return [];
      return found.map((fault) => ({ ...fault, user: { ...program, path } }));
    }),
  );
  return grouped(faults.flat());
};

/**
 * The programs that every boot and login runs, with loader and libraries, read as the kernel and
 * ld.so would and without running anything.
 */
export const programsCheck: Check = { area: 'userland', finds: Object.values(ids), run };
