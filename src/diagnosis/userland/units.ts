import {
  type BootTransaction,
  type Ordering,
  readBootTransaction,
} from '../../system-image/boot-transaction.ts';
import { type LoadedUnit, loadUnit } from '../../system-image/loaded-unit.ts';
import { lastValue } from '../../system-image/unit-file.ts';
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
  machineActions,
  programOf,
  startCommands,
  waitsFor,
} from './unit-faults.ts';

/** How bad it is that a unit does not start. */
export const severityOf = ({ fatal }: BootTransaction, name: string): 'critical' | 'warning' =>
  fatal.has(name) || essentialUnit(name)?.severity === 'critical' ? 'critical' : 'warning';

export const effectOf = (transaction: BootTransaction, name: string): string =>
  transaction.fatal.has(name)
    ? 'The boot requires it: it fails, and ends in emergency or rescue mode.'
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

const actionFindings = (unit: LoadedUnit): readonly Finding[] =>
  machineActions(unit).map(({ path, line, key, value }) => ({
    id: 'userland.unit-reboots',
    severity: 'warning',
    title: `${unit.name} restarts or stops the machine: ${key}=${value}`,
    subject: `${path}:${line}`,
    evidence: [atFile(path, `${key}=${value}`, line)],
    meaning: /Success/.test(key)
      ? 'As soon as the unit has done its work, the machine goes down: when that is at every boot, it never stays up.'
      : 'When the unit fails at every boot, the machine never stays up.',
    repair: null,
  }));

/** Services that a socket of the boot starts at the first connection. */
const triggeredUnits = async (
  { files }: Subject,
  { units }: BootTransaction,
): Promise<readonly LoadedUnit[]> => {
  const names = [...units.values()].flatMap(({ name, entries }) => {
    if (!name.endsWith('.socket')) return [];
    const service = lastValue(entries, 'Socket', 'Service') ?? name.replace(/socket$/, 'service');
    return units.has(service) ? [] : [service];
  });
  const loaded = await Promise.all([...new Set(names)].map((name) => loadUnit(files, name)));
  return loaded.filter((unit) => unit !== null).filter(({ name }) => !units.has(name));
};

type Cycle = {
  readonly steps: readonly Ordering[];
  readonly own: Ordering;
  /** Units of it that systemd may leave out to break it. */
  readonly optional: readonly string[];
};

const cycleFinding = ({ steps, own, optional }: Cycle): Finding => {
  const names = steps.map(({ from }) => from);
  const frozen = optional.length === 0;
  return {
    id: 'userland.ordering-cycle',
    severity: frozen ? 'critical' : 'warning',
    title: `Units wait for each other: ${[...names, names[0]].join(' after ')}`,
    subject: `${own.from} after ${own.to}`,
    evidence: steps.map(({ from, to, because }) => atFile(because, `${from} after ${to}`)),
    meaning: frozen
      ? 'All of them are required, so systemd cannot leave one out: "Transaction order is cyclic", and it freezes.'
      : `systemd breaks the cycle by not starting one of ${optional.join(', ')}, and says so only in the journal.`,
    repair: 'userland.break-cycle',
  };
};

/** The worse one: what systemd cannot break, and of two such the shorter. */
const worse = (one: Cycle, other: Cycle): Cycle => {
  const byKind = Number(one.optional.length > 0) - Number(other.optional.length > 0);
  const order = byKind === 0 ? one.steps.length - other.steps.length : byKind;
  return order <= 0 ? one : other;
};

/** One finding for each order in /etc that closes cycles: many may go through it. */
const cycleFindings = ({ orderings, required }: BootTransaction): readonly Finding[] => {
  const byOwn = new Map<string, Cycle>();
  for (const name of unitsInCycles(orderings)) {
    const steps = cycleThrough(orderings, name);
    const own = ownStep(steps);
    if (own === undefined) continue;
    const optional = steps.map(({ from }) => from).filter((from) => !required.has(from));
    const key = `${own.from} ${own.to}`;
    const known = byOwn.get(key);
    const cycle = { steps, own, optional };
    byOwn.set(key, known === undefined ? cycle : worse(known, cycle));
  }
  return [...byOwn.values()].map(cycleFinding);
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  if (subject.facts.init !== 'systemd') return [];
  const transaction = await readBootTransaction(subject.files, 'default.target');
  const units = [...transaction.units.values()];
  const triggered = await triggeredUnits(subject, transaction);
  const programs = await Promise.all(units.map((unit) => execFindings(subject, transaction, unit)));
  return [
    ...[...units, ...triggered].flatMap((unit) => loadFindings(transaction, unit)),
    ...programs.flat(),
    ...units.flatMap((unit) => blockFindings(transaction, unit)),
    ...units.flatMap(actionFindings),
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
    'userland.unit-reboots',
    'userland.ordering-cycle',
  ],
  run,
};
