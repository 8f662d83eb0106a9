import { compareVersions } from '../../system-image/version-compare.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { type Boot, failuresOf, isBroken } from './boots.ts';
import type { Journal } from './journal.ts';
import { info, journalEvidence, timeWords } from './words.ts';

const began = (boot: Boot): string => (boot.began === null ? 'unknown' : timeWords(boot.began));

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

/** When it last booted well, and what came after. */
export const goodBoot = (boots: readonly Boot[]): readonly Finding[] => {
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
export const lastBoot = async (
  journal: Journal,
  boots: readonly Boot[],
): Promise<readonly Finding[]> => {
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
export const brokenKernel = (subject: Subject, boots: readonly Boot[]): readonly Finding[] => {
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
