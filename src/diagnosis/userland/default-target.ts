import {
  administratorUnits,
  findUnit,
  type UnitEntry,
  unitDirectories,
} from '../../system-image/systemd-units.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

const name = 'default.target';

/** Targets that end the system as soon as it has started. */
const ends =
  /^(?:poweroff|reboot|halt|kexec|exit|soft-reboot|shutdown|final|umount|ctrl-alt-del|runlevel[06]|suspend|hibernate|sleep|hybrid-sleep)\.target$/;
const single = /^(?:rescue|emergency|runlevel1)\.target$/;

const finding = (
  severity: Finding['severity'],
  words: {
    readonly title: string;
    readonly path: string;
    readonly text: string;
    readonly meaning: string;
  },
): Finding => ({
  id: 'userland.default-target',
  severity,
  title: words.title,
  subject: name,
  evidence: [atFile(words.path, words.text)],
  meaning: words.meaning,
  repair: 'userland.default-target',
});

const missing = (): Finding =>
  finding('critical', {
    title: 'There is no default.target',
    path: `${administratorUnits}/${name}`,
    text: 'is missing, and so is the one that comes with systemd',
    meaning: 'systemd does not know what to start and ends in rescue mode.',
  });

const broken = ({ path, state, to }: UnitEntry): Finding =>
  finding('critical', {
    title: state === 'masked' ? 'default.target is masked' : 'default.target leads nowhere',
    path,
    text:
      to === null
        ? 'is empty, which masks it'
        : `is a link to ${to}${state === 'dangling' ? ', which is not there' : ''}`,
    meaning:
      state === 'masked'
        ? 'systemd has nothing to start and ends in rescue mode, or stops at once.'
        : 'systemd cannot load what it is to start and ends in rescue mode.',
  });

const leadsAstray = (entry: UnitEntry, target: string): Finding | null => {
  const text = `is a link to ${entry.to ?? target}`;
  if (ends.test(target)) {
    return finding('critical', {
      title: `The default target is ${target}`,
      path: entry.path,
      text,
      meaning: 'The machine shuts down or restarts as soon as it has started.',
    });
  }
  if (!single.test(target)) return null;
  return finding('warning', {
    title: `The default target is ${target}`,
    path: entry.path,
    text,
    meaning: 'The machine starts into single-user mode, without network and logins.',
  });
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  if (subject.facts.init !== 'systemd') return [];
  const hasUnits = await Promise.all(
    unitDirectories.slice(2).map((path) => subject.files.isDirectory(path)),
  );
  // Without any units of systemd's own it is not this link that is missing.
  if (!hasUnits.includes(true)) return [];
  const entry = await findUnit(subject.files, name);
  if (entry === null) return [missing()];
  if (entry.state === 'masked' || entry.state === 'dangling') return [broken(entry)];
  const target = (await subject.files.locate(entry.path))?.path.split('/').at(-1) ?? name;
  const astray = leadsAstray(entry, target);
  return astray === null ? [] : [astray];
};

/** What systemd starts when the kernel command line names nothing else. */
export const defaultTargetCheck: Check = {
  area: 'userland',
  finds: ['userland.default-target'],
  run,
};
