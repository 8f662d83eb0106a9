import { compareVersions } from '../../system-image/version-compare.ts';
import type { Check } from '../check.ts';
import type { Evidence, Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { type Boot, bootsOf } from './boots.ts';
import { readJournal } from './journal.ts';
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

const goodBoot = (boots: readonly Boot[]): readonly Finding[] => {
  const good = boots.findLast(({ finished }) => finished);
  if (good === undefined) return [];
  const after = boots.length - 1 - boots.indexOf(good);
  const kernel = good.kernel === null ? '' : ` with kernel ${good.kernel}`;
  const later =
    after === 0
      ? 'It is the last boot of the journal.'
      : `${after} later boots did not come to their end.`;
  return [
    info(
      {
        id: 'last-boots.good-boot',
        title: `The last boot that came to its end began on ${time(good.began)}${kernel}.`,
        subject: 'journal',
        meaning: `${later} What was changed after it is worth a look.`,
      },
      [journalEvidence([`boot ${good.id}: ${time(good.began)} to ${time(good.ended)}`])],
    ),
  ];
};

/** Of the last boot only: a failure that a good boot has followed is over. */
const lastBoot = (boots: readonly Boot[]): readonly Finding[] => {
  const boot = boots.at(-1);
  if (boot === undefined || boot.finished) return [];
  const failed = boot.failedUnits.slice(0, 20);
  const emergency =
    boot.emergency === null
      ? []
      : [
          info(
            {
              id: 'last-boots.emergency',
              title: `The last boot, on ${time(boot.began)}, ended in emergency mode.`,
              subject: 'journal',
              meaning: 'The units that failed before it are the cause.',
            },
            [journalEvidence([boot.emergency, ...failed.map((unit) => `failed: ${unit}`)])],
          ),
        ];
  const units =
    failed.length === 0
      ? []
      : [
          info(
            {
              id: 'last-boots.failed-units',
              title: `In the last boot, on ${time(boot.began)}, units failed: ${failed.slice(0, 5).join(', ')}.`,
              subject: 'journal',
              meaning:
                'It did not come to its end. This is what happened then; other findings say whether it would happen again.',
            },
            [journalEvidence(failed)],
          ),
        ];
  return [...emergency, ...units];
};

/**
 * A kernel with which no boot came to its end, twice at least, while an older one that is still there
 * did. One boot may have been broken off by a person.
 */
const brokenKernel = (subject: Subject, boots: readonly Boot[]): readonly Finding[] => {
  const versions = new Set(boots.flatMap(({ kernel }) => kernel ?? []));
  const newest = [...versions].toSorted(compareVersions).at(-1);
  const own = boots.filter(({ kernel }) => kernel === newest);
  const good = boots.findLast(({ finished, kernel }) => finished && kernel !== newest);
  const installed = subject.facts.kernels.some(({ version }) => version === newest);
  if (newest === undefined || !installed || own.length < 2 || good?.kernel == null) return [];
  if (own.some(({ finished }) => finished) || boots.at(-1)?.kernel !== newest) return [];
  return [
    {
      id: 'last-boots.kernel-fails',
      severity: 'warning',
      title: `No boot with kernel ${newest} came to its end; ${good.kernel} did.`,
      subject: newest,
      evidence: [
        journalEvidence([
          `${good.kernel}: finished on ${time(good.began)}`,
          ...own.map(({ began }) => `${newest}: began on ${time(began)}, not finished`),
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
    const journal = await readJournal(subject);
    if (journal === null) return fromTextLogs(subject);
    if (journal.problem !== null) {
      const finding = {
        id: 'last-boots.unreadable-journal',
        title: 'The journal on the disk could not be read.',
        subject: 'journal',
        meaning:
          'Nothing is known of the last boots from it. The system makes a new one by itself.',
      };
      return [
        info(finding, [journalEvidence([journal.problem])]),
        ...(await fromTextLogs(subject)),
      ];
    }
    const boots = bootsOf(journal.entries);
    const recent = boots.slice(-recentBoots).flatMap(({ entries }) => entries);
    return [
      ...goodBoot(boots),
      ...lastBoot(boots),
      ...kernelFindings(
        recent.flatMap(({ fromKernel, message }) => (fromKernel ? [message] : [])),
        journalEvidence,
      ),
      ...brokenKernel(subject, boots),
    ];
  },
};
