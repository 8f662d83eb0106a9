import { type InittabEntry, parseInittab } from '../../system-image/inittab.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

const path = '/etc/inittab';

const fault = (
  title: string,
  text: string,
  meaning: string,
  more: { readonly line?: number; readonly severity?: 'warning' } = {},
): Finding => ({
  id: 'userland.inittab',
  severity: more.severity ?? 'critical',
  title,
  subject: more.line === undefined ? path : `${path}:${more.line}`,
  evidence: [atFile(path, text, more.line ?? null)],
  meaning,
  repair: 'userland.inittab',
});

const asks = 'init asks for a runlevel on the console and starts nothing.';

const defaultFault = (entries: readonly InittabEntry[]): Finding | null => {
  const initdefault = entries.find(({ action }) => action === 'initdefault');
  if (initdefault === undefined) {
    return fault('/etc/inittab names no default runlevel', 'has no initdefault', asks);
  }
  const { line, id, runlevels, action } = initdefault;
  const text = `${id}:${runlevels}:${action}:`;
  if (/^[06]$/.test(runlevels.trim())) {
    const what = runlevels.trim() === '0' ? 'halts' : 'restarts';
    const meaning = `The machine ${what} as soon as it has started.`;
    return fault(`The default runlevel of /etc/inittab ${what} the machine`, text, meaning, {
      line,
    });
  }
  return /^[1-5sS]$/.test(runlevels.trim())
    ? null
    : fault('/etc/inittab names no valid default runlevel', text, asks, { line });
};

const inittabFindings = (text: string | null): readonly Finding[] => {
  if (text === null) return [fault('The file /etc/inittab is missing', 'is missing', asks)];
  const entries = parseInittab(text);
  if (entries.length === 0) {
    return [fault('/etc/inittab has no entry', 'holds no entry that init understands', asks)];
  }
  const byDefault = defaultFault(entries);
  const starts = entries.some(({ action }) => action === 'sysinit' || action === 'bootwait');
  const logins = entries.some(({ action }) => action === 'respawn' || action === 'ondemand');
  return [
    ...(byDefault === null ? [] : [byDefault]),
    ...(starts
      ? []
      : [
          fault(
            '/etc/inittab runs no boot scripts',
            'has no sysinit entry',
            'Nothing is mounted and no service is prepared: the root stays read-only.',
          ),
        ]),
    ...(logins
      ? []
      : [
          fault(
            '/etc/inittab starts no login',
            'has no respawn entry',
            'No console shows a login.',
            { severity: 'warning' },
          ),
        ]),
  ];
};

/** OpenRC starts what is in its runlevels; without any there is nothing to start. */
const openrcFindings = async ({ files }: Subject): Promise<readonly Finding[]> => {
  const levels = ['sysinit', 'boot', 'default'];
  const lists = await Promise.all(levels.map((name) => files.list(`/etc/runlevels/${name}`)));
  if (lists.some((names) => names !== null && names.length > 0)) return [];
  return [
    {
      id: 'userland.runlevels',
      severity: 'critical',
      title: 'OpenRC has nothing to start: its runlevels are missing or empty',
      subject: '/etc/runlevels',
      evidence: [atFile('/etc/runlevels', `${levels.join(', ')}: missing or empty`)],
      meaning: 'No service is started, file systems are not mounted, and no login appears.',
      repair: null,
    },
  ];
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  const { files, facts } = subject;
  if (facts.init === 'openrc') return openrcFindings(subject);
  if (facts.init !== 'sysvinit') return [];
  return inittabFindings(await files.read(path, 256 * 1024));
};

/** What init starts on systems without systemd. */
export const sysvinitCheck: Check = {
  area: 'userland',
  finds: ['userland.inittab', 'userland.runlevels'],
  run,
};
