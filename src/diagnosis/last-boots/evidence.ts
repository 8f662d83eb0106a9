import { plainText } from '../../host/plain-text.ts';
import { isInterruption, messageOf } from '../../host/rescue-error.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { brokenKernel, goodBoot, lastBoot } from './boot-findings.ts';
import type { Boot } from './boots.ts';
import { ownDisksOf } from './disk-names.ts';
import { type Journal, type Matches, openJournal } from './journal.ts';
import { keptPanic, recordFail } from './kept-signs.ts';
import { hasDiskTrouble, type KernelLines, kernelFindings } from './kernel-findings.ts';
import { readBoots } from './read-boots.ts';
import { readTextLogs } from './text-logs.ts';
import { info, journalEvidence, shownLines } from './words.ts';

/** Older trouble says nothing about the next boot. */
const recentBoots = 3;
/** SD_MESSAGE_UNIT_OUT_OF_MEMORY and SD_MESSAGE_UNIT_OOMD_KILL of systemd (sd-messages.h). */
const outOfMemory = ['fe6faa94e7774663a0da52717891d8ef', 'd989611b15e44c9dbf31e3c81256e4ed'];

const fromTextLogs = async (subject: Subject): Promise<readonly Finding[]> => {
  const lines = await readTextLogs(subject);
  const path = lines[0]?.path ?? '/var/log/kern.log';
  const messages = lines.map(({ message }) => message);
  return kernelFindings([{ messages, ownDisks: ownDisksOf(subject, messages) }], (own) => ({
    kind: 'file',
    path,
    line: null,
    text: own.slice(-shownLines).join('; ').slice(0, 600),
  }));
};

const priorities = (...levels: readonly number[]): readonly string[] =>
  levels.map((level) => `PRIORITY=${level}`);

/** Warnings and worse: what a firewall or the audit log says may be a thousand times as much. */
const troublesIn = (boots: readonly Boot[]): Matches => [
  [...boots.map(({ id }) => `_BOOT_ID=${id}`), '_TRANSPORT=kernel', ...priorities(0, 1, 2, 3, 4)],
  [
    ...boots.map(({ id }) => `_BOOT_ID=${id}`),
    '_PID=1',
    ...outOfMemory.map((id) => `MESSAGE_ID=${id}`),
  ],
];

const kernelLines = async (
  subject: Subject,
  journal: Journal,
  boots: readonly Boot[],
): Promise<readonly KernelLines[]> => {
  if (boots.length === 0) return [];
  const entries = await journal.entries(troublesIn(boots));
  const lines: KernelLines[] = [];
  for (const { id } of boots) {
    const messages = entries.flatMap(({ bootId, message }) => (bootId === id ? [message] : []));
    const more = hasDiskTrouble(messages)
      ? await journal.entries([[`_BOOT_ID=${id}`, '_TRANSPORT=kernel', ...priorities(4, 5, 6)]])
      : [];
    const ownDisks = ownDisksOf(
      subject,
      more.map(({ message }) => message),
    );
    lines.push({ messages, ownDisks });
  }
  return lines;
};

const fromJournal = async (subject: Subject, journal: Journal): Promise<readonly Finding[]> => {
  const boots = await readBoots(subject);
  const recent = boots.slice(-recentBoots);
  return [
    ...goodBoot(boots),
    ...(await lastBoot(journal, boots)),
    ...kernelFindings(await kernelLines(subject, journal, recent), journalEvidence),
    ...(await keptPanic(subject, recent[0]?.began ?? null)),
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

const fromLogs = async (subject: Subject): Promise<readonly Finding[]> => {
  const journal = await openJournal(subject);
  const withoutJournal = async (): Promise<readonly Finding[]> => [
    ...(await fromTextLogs(subject)),
    ...(await keptPanic(subject, null)),
  ];
  if (journal === null) return withoutJournal();
  if (journal.newest === null) {
    return [unreadable(journal.problem ?? ''), ...(await withoutJournal())];
  }
  try {
    return await fromJournal(subject, journal);
  } catch (error) {
    if (isInterruption(error)) throw error;
    return [unreadable(plainText(messageOf(error)).slice(0, 200))];
  }
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
    'last-boots.record-fail',
    'last-boots.unreadable-journal',
  ],
  run: async (subject) => [...(await fromLogs(subject)), ...(await recordFail(subject))],
};
