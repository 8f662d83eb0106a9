import { plainText } from '../../host/plain-text.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { troubleOf } from './kernel-trouble.ts';
import { shownLines, timeWords } from './words.ts';

const archive = '/var/lib/systemd/pstore';
const maxNames = 200;
const maxBytes = 2 ** 18;

const namesIn = async ({ files }: Subject, path: string): Promise<readonly string[]> =>
  ((await files.list(path)) ?? []).slice(-maxNames);

/**
 * Directories of the archive, the newest first: systemd-pstore(8) calls them after the time of the
 * record in seconds, with the record's number below; older ones lie in the archive itself.
 */
const recordPlaces = async (subject: Subject): Promise<readonly string[]> => {
  const times = (await namesIn(subject, archive))
    .filter((name) => /^\d+$/.test(name))
    .toSorted((one, other) => Number(other) - Number(one));
  const [newest] = times;
  if (newest === undefined) return [archive];
  const inside = (await namesIn(subject, `${archive}/${newest}`)).filter((name) =>
    /^\d+$/.test(name),
  );
  return [...inside.map((name) => `${archive}/${newest}/${name}`), `${archive}/${newest}`, archive];
};

/** Ten digits are seconds since 1970; other names are ids of the firmware. */
const timeIn = (path: string): Date | null => {
  const seconds = /\/pstore\/(\d{10})(?:\/|$)/.exec(path)?.[1];
  return seconds === undefined ? null : new Date(Number(seconds) * 1000);
};

type KeptRecord = {
  readonly path: string;
  readonly at: Date | null;
  readonly lines: readonly string[];
};

/** The newest record of a panic: put together by systemd, or a part as the firmware kept it. */
const newestPanic = async (subject: Subject): Promise<KeptRecord | null> => {
  for (const place of await recordPlaces(subject)) {
    const names = (await namesIn(subject, place)).filter((name) => /^dmesg[.-]/.test(name));
    for (const name of [...names.filter((one) => one === 'dmesg.txt'), ...names]) {
      const path = `${place}/${name}`;
      const text = (await subject.files.bytes(path, maxBytes))?.toString('utf8') ?? '';
      const lines = text.split('\n').map((line) => plainText(line.replace(/^<\d+>/, '')));
      const panics = lines.filter((line) => troubleOf(line) === 'panic');
      if (panics.length > 0) return { path, at: timeIn(place), lines: panics };
    }
  }
  return null;
};

/**
 * A panic that the firmware kept over the restart, which no journal can: the next boot that came far
 * enough has put it on the disk.
 *
 * @param since what is older is over; null when nothing is known of the boots.
 */
export const keptPanic = async (
  subject: Subject,
  since: Date | null,
): Promise<readonly Finding[]> => {
  const kept = await newestPanic(subject);
  if (kept === null || (kept.at !== null && since !== null && kept.at < since)) return [];
  const when = kept.at === null ? '' : ` on ${timeWords(kept.at)}`;
  return [
    {
      id: 'last-boots.kernel-panic',
      severity: 'info',
      title: `The kernel stopped with an error of its own${when}, and the firmware kept its last lines.`,
      subject: 'pstore',
      evidence: [
        {
          kind: 'file',
          path: plainText(kept.path),
          line: null,
          text: kept.lines.slice(-shownLines).join('; ').slice(0, 600),
        },
      ],
      meaning: 'The machine stood still then. The line tells what the kernel missed or met.',
      repair: null,
    },
  ];
};

/** Ubuntu's GRUB writes it when it starts a system, and the system takes it away once it is up. */
export const recordFail = async ({ files }: Subject): Promise<readonly Finding[]> => {
  for (const path of ['/boot/grub/grubenv', '/boot/grub2/grubenv']) {
    const text = (await files.read(path, 4096)) ?? '';
    if (!/^recordfail=1$/m.test(text)) continue;
    return [
      {
        id: 'last-boots.record-fail',
        severity: 'info',
        title: 'GRUB has noted that the last boot did not come to its end.',
        subject: path,
        evidence: [{ kind: 'file', path, line: null, text: 'recordfail=1' }],
        meaning:
          'It shows its menu at the next start, and waits there for 30 seconds on most systems. The system takes the note away once it is up.',
        repair: null,
      },
    ];
  }
  return [];
};
