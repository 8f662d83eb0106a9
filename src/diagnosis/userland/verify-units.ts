import { administratorUnits } from '../../system-image/systemd-units.ts';
import type { Check } from '../check.ts';
import { commandEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';

const words = [
  ...['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', 'default.target'],
];

/** `PATH:LINE: what is wrong`, for a file that somebody wrote. */
const complaint = /^(\/etc\/systemd\/system\/[^:]+):(\d+): (.+)$/;

const findingOf = (path: string, lines: readonly string[]): Finding => ({
  id: 'userland.unit-warning',
  severity: 'info',
  title: `systemd does not understand all of ${path}`,
  subject: path,
  evidence: [commandEvidence(words, lines.join('\n'))],
  meaning: 'It passes over these lines: what they were to do does not happen.',
  repair: null,
});

/** Links alone cannot be misunderstood; a container is not started for them. */
const hasOwnFiles = async ({ files }: Subject): Promise<boolean> => {
  const names = (await files.list(administratorUnits)) ?? [];
  const entries = await Promise.all(
    names.map((name) => files.entry(`${administratorUnits}/${name}`)),
  );
  return entries.some(
    (entry) =>
      entry?.status.kind === 'file' ||
      (entry?.status.kind === 'directory' && entry.path.endsWith('.d')),
  );
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  if (subject.facts.init !== 'systemd' || !(await hasOwnFiles(subject))) return [];
  const result = await subject.runInside({ words });
  const byPath = new Map<string, string[]>();
  for (const line of (result?.stderr ?? '').split('\n').slice(0, 500)) {
    const path = complaint.exec(line)?.[1];
    if (path !== undefined) byPath.set(path, [...(byPath.get(path) ?? []), line]);
  }
  return [...byPath].map(([path, lines]) => findingOf(path, lines));
};

/** The system's own systemd, asked about the files in /etc: it knows each setting of its version. */
export const verifyUnitsCheck: Check = {
  area: 'userland',
  finds: ['userland.unit-warning'],
  run,
};
