import { readUnits, startsAtBoot } from '../../system-image/units.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';

export const auditdConf = '/etc/audit/auditd.conf';

type Setting = { readonly key: string; readonly value: string; readonly line: number };

const settingsOf = (text: string): readonly Setting[] =>
  text.split('\n').flatMap((raw, index) => {
    const [, key, value] = /^\s*(\w+)\s*=\s*(\S+)/.exec(raw) ?? [];
    return key === undefined || value === undefined
      ? []
      : [{ key: key.toLowerCase(), value, line: index + 1 }];
  });

const mebibyte = 1024 * 1024;

/** An action and the free space, in MiB, below which it is taken. */
const limits = [
  { action: 'space_left_action', limit: 'space_left' },
  { action: 'admin_space_left_action', limit: 'admin_space_left' },
  { action: 'disk_full_action', limit: null },
] as const;

const freeMebibytes = async ({ files, host }: Subject): Promise<number | null> => {
  const place = (await files.locate('/var/log/audit')) ?? (await files.locate('/var/log'));
  return place === null ? null : (await host.files.freeBytes(place.hostPath)) / mebibyte;
};

const findingOf = (setting: Setting, free: number | null, now: boolean): Finding => ({
  id: 'access.auditd-halts',
  severity: now ? 'critical' : 'info',
  title: now
    ? `auditd stops the machine at once: ${setting.key} is ${setting.value}, and the disk is full`
    : `auditd stops the machine when its disk is full: ${setting.key} is ${setting.value}`,
  subject: setting.key,
  evidence: [
    fileEvidence(auditdConf, setting.line, `${setting.key} = ${setting.value}`),
    ...(free === null
      ? []
      : [fileEvidence('/var/log/audit', null, `${Math.floor(free)} MiB are free`)]),
  ],
  meaning: now
    ? 'The machine halts or goes to single-user mode soon after it has booted.'
    : 'Meant for machines that must not run without an audit trail.',
  repair: now ? 'access.auditd-suspend' : null,
});

/** `-f 2` among the rules: a message that cannot be written ends in a panic (auditctl(8)). */
const panicFindings = async ({ files }: Subject): Promise<readonly Finding[]> => {
  const names = ((await files.list('/etc/audit/rules.d')) ?? []).filter((n) =>
    n.endsWith('.rules'),
  );
  const paths = ['/etc/audit/audit.rules', ...names.map((name) => `/etc/audit/rules.d/${name}`)];
  const texts = await Promise.all(paths.map((path) => files.read(path)));
  const found = paths.flatMap((path, index) => {
    const lines = (texts[index] ?? '').split('\n');
    const at = lines.findIndex((line) => /^\s*-f\s+2\s*$/.test(line));
    return at === -1 ? [] : [fileEvidence(path, at + 1, lines[at] ?? '')];
  });
  if (found.length === 0) return [];
  return [
    {
      id: 'access.audit-panics',
      severity: 'info',
      title: 'The kernel panics when an audit message cannot be written',
      subject: 'audit',
      evidence: found,
      meaning: 'Meant for machines that must not run without an audit trail.',
      repair: null,
    },
  ];
};

/** What auditd does when its disk is full, and whether that is so now. */
export const auditdCheck: Check = {
  area: 'access',
  finds: ['access.auditd-halts', 'access.audit-panics'],
  run: async (subject) => {
    const { files } = subject;
    const text = await files.read(auditdConf, 64 * 1024);
    if (text === null || !(await startsAtBoot(files, await readUnits(files), ['auditd'])))
      return [];
    const settings = settingsOf(text);
    const free = await freeMebibytes(subject);
    const halts = limits.flatMap(({ action, limit }): readonly Finding[] => {
      const setting = settings.find(({ key }) => key === action);
      if (setting === undefined || !/^(?:halt|single)$/i.test(setting.value)) return [];
      const written = settings.find(({ key }) => key === limit)?.value ?? '';
      // A share of the disk (`25%`) is left aside: what matters is the full disk.
      const least = /^\d+$/.test(written) ? Number(written) : 1;
      return [findingOf(setting, free, free !== null && free < Math.max(least, 1))];
    });
    return [...halts, ...(await panicFindings(subject))];
  },
};
