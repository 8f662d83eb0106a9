import { plainText } from '../../host/plain-text.ts';
import { messageOf, RescueError } from '../../host/rescue-error.ts';
import { compareVersions } from '../../system-image/version-compare.ts';
import type { Check } from '../check.ts';
import type { Evidence, Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { type Boot, bootMarks, bootsOf, failuresOf, isBroken } from './boots.ts';
import { type Journal, type LogEntry, type Matches, openJournal } from './journal.ts';
import { kernelFindings } from './kernel-findings.ts';
import { readTextLogs } from './text-logs.ts';

/** Older trouble says nothing about the next boot. */
const recentBoots = 3;
const shownLines = 5;

const time = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const journalEvidence = (lines: readonly string[]): Evidence => ({
  kind: 'command',
  command: 'journalctl --directory=/var/log/journal',
  output: lines
    .slice(-shownLines)
    .map((line) => line.slice(0, 200))
    .join('\n'),
});

type Plain = Pick<Finding, 'id' | 'title' | 'subject' | 'meaning'>;

const info = (finding: Plain, evidence: readonly Evidence[]): Finding => ({
  ...finding,
  severity: 'info',
  evidence,
  repair: null,
});

const began = (boot: Boot): string => (boot.began === null ? 'unknown' : time(boot.began));

const count = (number: number, thing: string): string =>
  `${number} ${thing}${number === 1 ? '' : 's'}`;

const laterWords = (later: readonly Boot[]): string => {
  if (later.length === 0) return 'It is the last boot of the journal.';
  const broken = later.filter(isBroken).length;
  const unknown = later.filter(({ outcome }) => outcome === 'unknown').length;
  const words = [
    ...(broken === 0
      ? []
      : [
          `${count(broken, 'later boot')} did not come to ${broken === 1 ? 'its' : 'their'} end. What was changed after it is worth a look.`,
        ]),
    ...(unknown === 0
      ? []
      : [`Of ${count(unknown, 'later boot')} the journal does not tell how far it came.`]),
  ];
  return words.length === 0 ? 'Later boots were into rescue mode.' : words.join(' ');
};

const goodBoot = (boots: readonly Boot[]): readonly Finding[] => {
  const good = boots.findLast(({ outcome }) => outcome === 'finished');
  if (good === undefined) return [];
  const kernel = good.kernel === null ? '' : ` with kernel ${good.kernel}`;
  return [
    info(
      {
        id: 'last-boots.good-boot',
        title: `The last boot that came to its end began on ${began(good)}${kernel}.`,
        subject: 'journal',
        meaning: laterWords(boots.slice(boots.indexOf(good) + 1)),
      },
      [journalEvidence([`boot ${good.id} of ${began(good)}: ${good.line}`])],
    ),
  ];
};

/** The last boot that a person did not lead into rescue mode. */
const lastOf = (boots: readonly Boot[]): Boot | undefined =>
  boots.findLast(({ outcome }) => outcome !== 'rescue');

/** Of the last boot only: a failure that a good boot has followed is over. */
const lastBoot = async (journal: Journal, boots: readonly Boot[]): Promise<readonly Finding[]> => {
  const boot = lastOf(boots);
  if (boot === undefined || !isBroken(boot)) return [];
  const entries = await journal.entries(failuresOf(boot));
  const units = new Set(entries.flatMap(({ unit }) => unit ?? []));
  const failed = [...units].filter((unit) => !unit.startsWith('emergency.')).slice(0, 20);
  const emergency =
    boot.outcome !== 'emergency'
      ? []
      : [
          info(
            {
              id: 'last-boots.emergency',
              title: `The last boot, on ${began(boot)}, ended in emergency mode.`,
              subject: 'journal',
              meaning: 'The units that failed before it are the cause.',
            },
            [journalEvidence([boot.line ?? '', ...failed.map((unit) => `failed: ${unit}`)])],
          ),
        ];
  const failures =
    failed.length === 0
      ? []
      : [
          info(
            {
              id: 'last-boots.failed-units',
              title: `In the last boot, on ${began(boot)}, units failed: ${failed.slice(0, 5).join(', ')}.`,
              subject: 'journal',
              meaning:
                'It did not come to its end. This is what happened then; other findings say whether it would happen again.',
            },
            [journalEvidence(failed)],
          ),
        ];
  return [...emergency, ...failures];
};

/**
 * A kernel with which no boot came to its end, twice at least, while an older one that is still there
 * did. One boot may have been broken off by a person. Nothing is repaired: the journal does not tell
 * the kernel from what else was changed with it.
 */
const brokenKernel = (subject: Subject, boots: readonly Boot[]): readonly Finding[] => {
  const versions = new Set(boots.flatMap(({ kernel }) => kernel ?? []));
  const newest = [...versions].toSorted(compareVersions).at(-1);
  const own = boots.filter(({ kernel, outcome }) => kernel === newest && outcome !== 'rescue');
  const good = boots.findLast(({ outcome, kernel }) => outcome === 'finished' && kernel !== newest);
  const installed = subject.facts.kernels.some(({ version }) => version === newest);
  if (newest === undefined || !installed || own.length < 2 || good?.kernel == null) return [];
  if (!own.every(isBroken) || lastOf(boots)?.kernel !== newest) return [];
  return [
    {
      id: 'last-boots.kernel-fails',
      severity: 'warning',
      title: `No boot with kernel ${newest} came to its end; ${good.kernel} did.`,
      subject: newest,
      evidence: [
        journalEvidence([
          `${good.kernel}: finished on ${began(good)}`,
          ...own.map((boot) => `${newest}: began on ${began(boot)}, not finished`),
        ]),
      ],
      meaning: `The system may boot with ${good.kernel} from the boot loader's menu.`,
      repair: null,
    },
  ];
};

const fromTextLogs = async (subject: Subject): Promise<readonly Finding[]> => {
  const lines = await readTextLogs(subject);
  const path = lines[0]?.path ?? '/var/log/kern.log';
  return kernelFindings(
    lines.map(({ message }) => message),
    (own) => ({
      kind: 'file',
      path,
      line: null,
      text: own.slice(-shownLines).join('; ').slice(0, 600),
    }),
  );
};

/** Warnings and worse: what a firewall or the audit log says may be a thousand times as much. */
const troublesIn = (boots: readonly Boot[]): Matches => [
  [
    ...boots.map(({ id }) => `_BOOT_ID=${id}`),
    '_TRANSPORT=kernel',
    ...[0, 1, 2, 3, 4].map((priority) => `PRIORITY=${priority}`),
  ],
];

/** The unit that default.target leads to, as far as one link tells. */
const defaultTargetOf = async ({ files }: Subject): Promise<string | null> => {
  const places = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
  for (const place of places) {
    const to = await files.link(`${place}/default.target`);
    if (to !== null) return /([^/]+\.target)$/.exec(to)?.[1] ?? null;
  }
  return null;
};

const fromJournal = async (
  subject: Subject,
  journal: Journal,
  newest: LogEntry,
): Promise<readonly Finding[]> => {
  const target = await defaultTargetOf(subject);
  const boots = bootsOf(await journal.entries(bootMarks(target)), newest, target);
  const recent = boots.slice(-recentBoots);
  const kernel = recent.length === 0 ? [] : await journal.entries(troublesIn(recent));
  return [
    ...goodBoot(boots),
    ...(await lastBoot(journal, boots)),
    ...kernelFindings(
      kernel.map(({ message }) => message),
      journalEvidence,
    ),
    ...brokenKernel(subject, boots),
  ];
};

const unreadable = (problem: string): Finding =>
  info(
    {
      id: 'last-boots.unreadable-journal',
      title: 'The journal on the disk could not be read.',
      subject: 'journal',
      meaning: 'Nothing is known of the last boots from it. The system makes a new one by itself.',
    },
    [journalEvidence([problem])],
  );

/** What the logs on the disk tell of the last boots. Mostly it is worth knowing and nothing to mend. */
export const lastBootsEvidence: Check = {
  area: 'last-boots',
  finds: [
    'last-boots.good-boot',
    'last-boots.emergency',
    'last-boots.failed-units',
    'last-boots.kernel-panic',
    'last-boots.out-of-memory',
    'last-boots.disk-errors',
    'last-boots.file-system-errors',
    'last-boots.kernel-fails',
    'last-boots.unreadable-journal',
  ],
  run: async (subject) => {
    const journal = await openJournal(subject);
    if (journal === null) return fromTextLogs(subject);
    if (journal.newest === null) {
      return [unreadable(journal.problem ?? ''), ...(await fromTextLogs(subject))];
    }
    try {
      return await fromJournal(subject, journal, journal.newest);
    } catch (error) {
      if (error instanceof RescueError && error.code === 'INTERRUPTED') throw error;
      return [unreadable(plainText(messageOf(error)).slice(0, 200))];
    }
  },
};
