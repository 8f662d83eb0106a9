import {
  type BootTransaction,
  type Ordering,
  readBootTransaction,
} from '../../system-image/boot-transaction.ts';
import type { LoadedUnit } from '../../system-image/loaded-unit.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';
import { essentialUnit } from './masked-units.ts';
import { cycleThrough, unitsInCycles } from './ordering-cycles.ts';
import {
  endlessCommand,
  isOwn,
  loadFault,
  programOf,
  startCommands,
  waitsFor,
} from './unit-faults.ts';

const severityOf = ({ required }: BootTransaction, name: string): 'critical' | 'warning' =>
  required.has(name) || essentialUnit(name)?.severity === 'critical' ? 'critical' : 'warning';

const effectOf = (transaction: BootTransaction, name: string): string =>
  transaction.required.has(name)
    ? 'The default target requires it: the boot fails and ends in emergency or rescue mode.'
    : (essentialUnit(name)?.meaning ?? 'The unit is not started.');

const loadFindings = (transaction: BootTransaction, unit: LoadedUnit): readonly Finding[] => {
  const fault = loadFault(unit);
  if (fault === null || !isOwn(fault.path)) return [];
  return [
    {
      id: 'userland.unit-broken',
      severity: severityOf(transaction, unit.name),
      title: `systemd cannot load ${unit.name}`,
      subject: unit.name,
      evidence: [atFile(fault.path, fault.text, fault.line)],
      meaning: effectOf(transaction, unit.name),
      repair: 'userland.unit-file',
    },
  ];
};

/** Only where the boot hangs on it: other services that fail are seen in the journal. */
const execFindings = async (
  { files }: Subject,
  transaction: BootTransaction,
  unit: LoadedUnit,
): Promise<readonly Finding[]> => {
  if (severityOf(transaction, unit.name) !== 'critical') return [];
  const commands = startCommands(unit).filter(({ path }) => isOwn(path));
  const found = await Promise.all(
    commands.map(async (command) => {
      const program = programOf(command);
      if (program === null || (await files.status(program)) !== null) return [];
      return [
        {
          id: 'userland.unit-program',
          severity: 'critical',
          title: `${unit.name} starts ${program}, which is not there`,
          subject: unit.name,
          evidence: [atFile(command.path, `ExecStart=${command.value}`, command.line)],
          meaning: effectOf(transaction, unit.name),
          repair: 'userland.unit-file',
        } satisfies Finding,
      ];
    }),
  );
  return found.flat().slice(0, 1);
};

const blockFindings = (transaction: BootTransaction, unit: LoadedUnit): readonly Finding[] => {
  const command = endlessCommand(unit);
  if (command === null || !isOwn(command.path)) return [];
  const early = waitsFor(transaction, 'basic.target', unit.name);
  return [
    {
      id: 'userland.unit-blocks',
      severity: early ? 'critical' : 'warning',
      title: `${unit.name} never finishes, and the boot waits for it`,
      subject: unit.name,
      evidence: [
        atFile(command.path, `ExecStart=${command.value}`, command.line),
        atFile(command.path, 'Type=oneshot without a limit for its start'),
      ],
      meaning: early
        ? 'It is ordered before basic.target: no service and no login is ever started.'
        : 'The default target is never reached; what is ordered after it does not start.',
      repair: 'userland.unit-disable',
    },
  ];
};

/** The step of the cycle that somebody wrote into /etc, and that a mend can take back. */
const ownStep = (cycle: readonly Ordering[]): Ordering | undefined =>
  cycle.find(({ because }) => isOwn(because) && because.endsWith('.conf')) ??
  cycle.find(({ because }) => isOwn(because) && !/\.(?:wants|requires)\/|\(default/.test(because));

const cycleFinding = (
  transaction: BootTransaction,
  cycle: readonly Ordering[],
): readonly Finding[] => {
  const step = ownStep(cycle);
  const names = cycle.map(({ from }) => from);
  if (step === undefined) return [];
  const optional = names.filter((name) => !transaction.required.has(name));
  return [
    {
      id: 'userland.ordering-cycle',
      severity: optional.length === 0 ? 'critical' : 'warning',
      title: `Units wait for each other: ${[...names, names[0]].join(' after ')}`,
      subject: [...names].sort().join(' '),
      evidence: cycle.map(({ from, to, because }) => atFile(because, `${from} after ${to}`)),
      meaning:
        optional.length === 0
          ? 'All of them are required, so systemd cannot leave one out: "Transaction order is cyclic", and it freezes.'
          : `systemd breaks the cycle by not starting one of ${optional.join(', ')}, and says so only in the journal.`,
      repair: 'userland.break-cycle',
    },
  ];
};

const cycleFindings = (transaction: BootTransaction): readonly Finding[] => {
  const { orderings, units } = transaction;
  const found = [...unitsInCycles(orderings)]
    .filter((name) => units.has(name))
    .map((name) => cycleThrough(orderings, name))
    .flatMap((cycle) => cycleFinding(transaction, cycle));
  // One cycle is found once from each of its units.
  return [...new Map(found.map((finding) => [finding.subject, finding])).values()];
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  if (subject.facts.init !== 'systemd') return [];
  const transaction = await readBootTransaction(subject.files, 'default.target');
  const units = [...transaction.units.values()];
  const programs = await Promise.all(units.map((unit) => execFindings(subject, transaction, unit)));
  return [
    ...units.flatMap((unit) => loadFindings(transaction, unit)),
    ...programs.flat(),
    ...units.flatMap((unit) => blockFindings(transaction, unit)),
    ...cycleFindings(transaction),
  ];
};

/** What systemd would start at boot, read from its unit files: what cannot be, and what waits for ever. */
export const unitsCheck: Check = {
  area: 'userland',
  finds: [
    'userland.unit-broken',
    'userland.unit-program',
    'userland.unit-blocks',
    'userland.ordering-cycle',
  ],
  run,
};
