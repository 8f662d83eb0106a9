import type { LogEntry } from './journal.ts';

/** Ids that systemd gives its messages (sd-messages.h). */
const startupFinished = 'b07a249cd024414a82dd00cd181378ff';
const unitStarted = '39f53479d3a045ac8e11786248231fbf';
const unitFailed = new Set([
  'be02cf6855d2428ba40df7e93d022f03',
  'd9b373ed55a64feb8242e02dbe79a49c',
]);

export type Boot = {
  readonly id: string;
  readonly began: Date;
  readonly ended: Date;
  /** As the kernel's first line says; null when that line is not among those that were read. */
  readonly kernel: string | null;
  /** It came to the end of its start: a login was possible. */
  readonly finished: boolean;
  /** Line that tells of emergency or rescue mode; null when there is none. */
  readonly emergency: string | null;
  readonly failedUnits: readonly string[];
  readonly entries: readonly LogEntry[];
};

const isFinished = ({ messageId, unit }: LogEntry): boolean =>
  messageId === startupFinished ||
  (messageId === unitStarted && /^(?:multi-user|graphical)\.target$/.test(unit ?? ''));

/** A boot that goes well says nothing of these units. */
const isEmergency = ({ unit, message }: LogEntry): boolean =>
  /^emergency\.(?:target|service)$/.test(unit ?? '') || /^You are in emergency mode/.test(message);

const summary = (id: string, entries: readonly LogEntry[]): Boot => {
  const [first] = entries;
  const last = entries.at(-1) ?? first;
  const failed = entries.flatMap(({ messageId, unit }) =>
    unit !== null && unitFailed.has(messageId ?? '') ? [unit] : [],
  );
  const version = entries.find(({ message }) => /^Linux version \S+/.test(message))?.message;
  return {
    id,
    began: first?.at ?? new Date(0),
    ended: last?.at ?? new Date(0),
    kernel: version?.split(' ')[2] ?? null,
    finished: entries.some(isFinished),
    emergency: entries.find(isEmergency)?.message ?? null,
    failedUnits: [...new Set(failed)],
    entries,
  };
};

/** The boots that a journal tells of, the oldest first. */
export const bootsOf = (entries: readonly LogEntry[]): readonly Boot[] => {
  const boots = new Map<string, LogEntry[]>();
  for (const entry of entries) {
    if (entry.bootId === null) continue;
    const known = boots.get(entry.bootId);
    if (known === undefined) boots.set(entry.bootId, [entry]);
    else known.push(entry);
  }
  return [...boots].map(([id, own]) => summary(id, own));
};
