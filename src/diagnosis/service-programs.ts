import { loadUnit, type SourceEntry } from '../system-image/loaded-unit.ts';
import { type ProgramFault, programReader } from '../system-image/program-closure.ts';
import { fileEvidence } from './file-evidence.ts';
import type { Evidence } from './finding.ts';
import type { Subject } from './subject.ts';
import { faultWords } from './userland/fault-words.ts';
import { commandWord, startCommands } from './userland/unit-faults.ts';

/** A command of a unit that cannot be started, and why. */
export type ServiceFault = {
  /** The unit as it was asked for. */
  readonly unit: string;
  readonly command: SourceEntry;
  readonly program: string;
  readonly fault: ProgramFault;
};

/** What shows such a fault: what is broken, the line that starts it, and what needs it. */
export const serviceEvidence = ({
  unit,
  command,
  program,
  fault,
}: ServiceFault): readonly Evidence[] => [
  fileEvidence(fault.path, null, faultWords(fault)),
  fileEvidence(command.path, command.line, `ExecStart=${command.value}`),
  ...(program === fault.path ? [] : [fileEvidence(program, null, `${unit} runs it`)]),
];

/** What is only there in a running system, or on a file system that is not attached here. */
const cannotBeSeen = ({ mounts }: Subject, path: string): boolean =>
  /^\/(?:run|proc|dev|sys)\//.test(path) ||
  mounts.some(
    ({ target, state }) => state !== 'mount' && target !== '/' && path.startsWith(`${target}/`),
  );

/** A missing /bin or /usr is reported as that, and not once more for everything in it. */
const hasItsLayout = ({ facts }: Subject): boolean =>
  !facts.missing.some((path) => /^\/(?:bin|sbin|lib\w*|usr)$/.test(path));

/**
 * What keeps systemd from running the commands of `ExecStart=` of some units: the program is not
 * there, or it, its loader or a library is damaged. Read from the files; nothing is run. Empty for a
 * unit that is not there.
 *
 * @param units names of services; of a template an instance of any name.
 */
export const serviceFaults = async (
  subject: Subject,
  units: readonly string[],
): Promise<readonly ServiceFault[]> => {
  if (units.length === 0 || !hasItsLayout(subject)) return [];
  const reader = await programReader(subject.files);
  const found = await Promise.all(
    units.map(async (unit) => {
      const loaded = await loadUnit(subject.files, unit);
      const commands = loaded === null ? [] : startCommands(loaded);
      return Promise.all(
        commands.map(async (command): Promise<readonly ServiceFault[]> => {
          const program = commandWord(command);
          if (program === null || cannotBeSeen(subject, program)) return [];
          const faults = await reader.faultsOf(program, null);
          return faults.map((fault) => ({ unit, command, program, fault }));
        }),
      );
    }),
  );
  // One program may be that of several units.
  return [...new Map(found.flat(2).map((one) => [one.fault.path, one])).values()];
};
