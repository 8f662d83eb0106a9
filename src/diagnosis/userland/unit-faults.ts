import type { BootTransaction, Ordering } from '../../system-image/boot-transaction.ts';
import type { LoadedUnit, SourceEntry } from '../../system-image/loaded-unit.ts';
import { administratorUnits } from '../../system-image/systemd-units.ts';
import { lastValue } from '../../system-image/unit-file.ts';

/** Files of packages are as their makers tested them; what people write is in /etc. */
export const isOwn = (path: string): boolean => path.startsWith(`${administratorUnits}/`);

const isService = ({ name }: LoadedUnit): boolean => name.endsWith('.service');

/** The commands that count: an empty assignment takes back those before it. */
export const startCommands = ({ entries }: LoadedUnit): readonly SourceEntry[] => {
  let commands: SourceEntry[] = [];
  for (const entry of entries) {
    if (entry.section !== 'Service' || entry.key !== 'ExecStart') continue;
    if (entry.value === '') commands = [];
    else commands.push(entry);
  }
  return commands;
};

export type LoadFault = {
  readonly path: string;
  readonly line: number | null;
  readonly text: string;
};

const types = /^(?:simple|exec|forking|oneshot|dbus|notify|notify-reload|idle)$/;

/** A type that systemd does not know is passed over; without one a bus name makes it `dbus`. */
const typeOf = (service: readonly SourceEntry[]): string =>
  service.findLast(({ key, value }) => key === 'Type' && types.test(value))?.value ??
  (service.some(({ key, value }) => key === 'BusName' && value !== '') ? 'dbus' : 'simple');

/** Escaped characters and quoted strings; one that is never closed goes to the end of the line. */
const quoted = /\\.|"(?:\\.|[^"\\])*(?:"|$)|'(?:\\.|[^'\\])*(?:'|$)/gs;

/** A semicolon that stands alone and outside of quotes begins another command (systemd.service(5)). */
const commandCount = (commands: readonly SourceEntry[]): number =>
  commands
    .flatMap(({ value }) => value.replace(quoted, '""').split(/\s;(?=\s|$)/))
    .filter((command) => command.trim() !== '').length;

/** The place to mend is the last one that somebody wrote, and not the file of the package. */
const at = (entries: readonly SourceEntry[], reason: string): LoadFault | null => {
  const entry = entries.findLast(({ path }) => isOwn(path)) ?? entries.at(-1);
  if (entry === undefined) return null;
  const { path, line, key, value } = entry;
  return { path, line, text: `${key}=${value}: ${reason}` };
};

/** Settings that do not go together (service_verify of systemd's service.c). */
const contradiction = (unit: LoadedUnit): LoadFault | null => {
  const service = unit.entries.filter(({ section }) => section === 'Service');
  const [commands, type] = [startCommands(unit), typeOf(service)];
  const of = (key: string) => service.filter((entry) => entry.key === key);
  if (type !== 'oneshot' && commandCount(commands) > 1) {
    return at(commands, `more than one ExecStart=, which only Type=oneshot may have`);
  }
  const restart = of('Restart').at(-1)?.value ?? 'no';
  if (type === 'oneshot' && /^(?:always|on-success)$/.test(restart)) {
    return at([...of('Type'), ...of('Restart').slice(-1)], 'Type=oneshot allows no such Restart=');
  }
  if (type === 'dbus' && (of('BusName').at(-1)?.value ?? '') === '') {
    return at(of('Type'), 'Type=dbus needs a BusName=');
  }
  return null;
};

/** Why systemd would not load a unit at all; null when it does. The place is the one to mend. */
export const loadFault = (unit: LoadedUnit): LoadFault | null => {
  // In a drop-in the same fault costs the drop-in and not the unit.
  const broken = unit.problems.find(({ fatal, path }) => fatal && path === unit.path);
  if (broken !== undefined) {
    return { path: broken.path, line: broken.line, text: `"${broken.text}" ${broken.reason}` };
  }
  if (!isService(unit)) return null;
  if (startCommands(unit).length > 0) return contradiction(unit);
  const service = unit.entries.filter(({ section }) => section === 'Service');
  // A oneshot may consist of what it does when it is stopped (systemd.service(5)).
  if (service.some(({ key }) => ['ExecStop', 'BusName'].includes(key))) return null;
  if ((lastValue(unit.entries, 'Unit', 'SuccessAction') ?? 'none') !== 'none') return null;
  const reset = service.findLast(({ key, value }) => key === 'ExecStart' && value === '');
  return reset === undefined
    ? { path: unit.path, line: null, text: 'has no ExecStart=' }
    : {
        path: reset.path,
        line: reset.line,
        text: 'ExecStart= takes the command away and sets none',
      };
};

const stopping = /^(?:reboot|poweroff|halt|kexec|soft-reboot|exit)(?:-force|-immediate)?$/;
const stoppingUnit = /^(?:reboot|poweroff|halt|kexec|soft-reboot|exit)\.target$/;

/** Settings of the administrator that restart the machine or switch it off when a unit fails or ends. */
export const machineActions = ({ entries }: LoadedUnit): readonly SourceEntry[] => {
  const isOf = ({ section, key }: SourceEntry): boolean =>
    // The older place of two of them is [Service].
    (section === 'Unit' || section === 'Service') &&
    /^(?:FailureAction|StartLimitAction|SuccessAction|JobTimeoutAction)$/.test(key) &&
    (section === 'Unit' || /^(?:Failure|StartLimit)Action$/.test(key));
  const last = new Map(entries.filter(isOf).map((entry) => [entry.key, entry]));
  const triggers = entries.filter(
    ({ section, key, value }) =>
      section === 'Unit' &&
      /^On(?:Failure|Success)$/.test(key) &&
      value.split(/\s+/).some((name) => stoppingUnit.test(name)),
  );
  return [...[...last.values()].filter(({ value }) => stopping.test(value)), ...triggers].filter(
    ({ path }) => isOwn(path),
  );
};

const marksOf = (value: string): string => /^[-@:+!|]*/.exec(value)?.[0] ?? '';

/** The program of a command, without the marks before it; null where only systemd knows it. */
export const commandWord = ({ value }: SourceEntry): string | null => {
  const word = /^"([^"]*)"|^(\S+)/.exec(value.slice(marksOf(value).length));
  const program = word?.[1] ?? word?.[2] ?? '';
  return program.startsWith('/') && !/[%$]/.test(program) ? program : null;
};

/** The same, and null with `-` before it: then the command may fail. */
export const programOf = (command: SourceEntry): string | null =>
  marksOf(command.value).includes('-') ? null : commandWord(command);

/** Commands that certainly never end by themselves. */
const endless = [
  /^\S*\/sleep\s+(?:infinity|inf)\b/,
  /^\S*\/sleep\s+\d{5,}\b/,
  /^\S*\/sleep\s+\d+d\b/,
  /^\S*\/tail\s+(?:\S+\s+)*(?:-f|-F|--follow)\b/,
  /\bwhile\s+(?:true|:|\[ 1 \])\s*;\s*do\b(?!.*\bbreak\b)/,
];

const noTimeout = /^(?:infinity|0|)$/;

/** A oneshot without a time limit whose command never ends: whatever is after it never starts. */
export const endlessCommand = (unit: LoadedUnit): SourceEntry | null => {
  if (!isService(unit) || lastValue(unit.entries, 'Service', 'Type') !== 'oneshot') return null;
  const limit =
    lastValue(unit.entries, 'Service', 'TimeoutStartSec') ??
    lastValue(unit.entries, 'Service', 'TimeoutSec') ??
    '';
  if (!noTimeout.test(limit)) return null;
  return startCommands(unit).find(({ value }) => endless.some((one) => one.test(value))) ?? null;
};

/** Whether `target` is started only after `name` is done. */
export const waitsFor = (
  { orderings }: Pick<BootTransaction, 'orderings'>,
  target: string,
  name: string,
): boolean => {
  const seen = new Set<string>();
  const queue = [target];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    if (at === name) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    queue.push(...orderings.filter(({ from }: Ordering) => from === at).map(({ to }) => to));
  }
  return false;
};
