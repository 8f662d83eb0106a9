import type { Evidence, Finding } from '../finding.ts';
import { diskIn } from './disk-names.ts';
import { type Trouble, troubleOf, withoutStamp } from './kernel-trouble.ts';

type Words = Pick<Finding, 'id' | 'title' | 'subject' | 'meaning' | 'severity'>;

const words: Readonly<Record<Exclude<Trouble, 'disk'>, Words>> = {
  panic: {
    id: 'last-boots.kernel-panic',
    severity: 'info',
    title: 'The kernel stopped with an error of its own in one of the last boots.',
    subject: 'kernel',
    meaning: 'The machine stood still then. The line tells what the kernel missed or met.',
  },
  'out-of-memory': {
    id: 'last-boots.out-of-memory',
    severity: 'info',
    title: 'The machine ran out of memory in one of the last boots, and programs were ended.',
    subject: 'kernel',
    meaning:
      'A service that was ended so, or a machine that stood still, may be all that was wrong.',
  },
  'file-system': {
    id: 'last-boots.file-system-errors',
    severity: 'info',
    title: 'The kernel met errors in a file system in one of the last boots.',
    subject: 'kernel',
    meaning:
      'The file system may have become read-only. `rescuekit check` says whether it is damaged now.',
  },
};

/** One boot's lines of the kernel, and the disks that are the system's own for certain. */
export type KernelLines = {
  readonly messages: readonly string[];
  readonly ownDisks: ReadonlySet<string>;
};

/** One line that says I/O error may be a cable that was pulled; a medium error is the disk itself. */
const isEnough = (lines: readonly string[]): boolean =>
  lines.length >= 3 ||
  lines.some((line) => /medium error|Unrecovered read error|auto reallocate failed/.test(line));

const linesOf = (messages: readonly string[], trouble: Trouble): readonly string[] =>
  messages.filter((message) => troubleOf(message) === trouble).map(withoutStamp);

/** Each disk for itself: what one says is no sign of another. */
const diskFindings = (
  boots: readonly KernelLines[],
  evidence: (lines: readonly string[]) => Evidence,
): readonly Finding[] => {
  const lines = boots.flatMap(({ messages, ownDisks }) =>
    linesOf(messages, 'disk').map((line) => {
      const disk = diskIn(line);
      return { line, disk, isOwn: disk !== null && ownDisks.has(disk) };
    }),
  );
  return [...Map.groupBy(lines, ({ disk }) => disk)].flatMap(([disk, all]) => {
    const own = all.flatMap(({ line, isOwn }) => (isOwn ? [line] : []));
    const isCertain = isEnough(own);
    const texts = isCertain ? own : all.map(({ line }) => line);
    if (!isEnough(texts)) return [];
    return [
      {
        id: 'last-boots.disk-errors',
        severity: isCertain ? 'warning' : 'info',
        title: `The kernel could not read or write ${disk ?? 'a disk'} in one of the last boots.`,
        subject: disk ?? 'kernel',
        evidence: [evidence(texts)],
        meaning: isCertain
          ? 'The system was on that disk, and it may be dying. Copy what is on it before anything else is done, repairs included.'
          : 'Whether the system was on that disk is not certain: names are given anew with each start. If it was, the disk may be dying: copy what is on it first.',
        repair: null,
      },
    ];
  });
};

/** Whether lines of a boot tell of trouble with a disk, so that it is worth knowing which are its own. */
export const hasDiskTrouble = (messages: readonly string[]): boolean =>
  messages.some((message) => troubleOf(message) === 'disk');

/**
 * What the kernel's lines of the last boots come to.
 *
 * @param evidence makes the lines of one trouble into evidence.
 */
export const kernelFindings = (
  boots: readonly KernelLines[],
  evidence: (lines: readonly string[]) => Evidence,
): readonly Finding[] => {
  const all = boots.flatMap(({ messages }) => messages);
  const plain = (trouble: Exclude<Trouble, 'disk'>): readonly Finding[] => {
    const lines = linesOf(all, trouble);
    return lines.length === 0
      ? []
      : [{ ...words[trouble], evidence: [evidence(lines)], repair: null }];
  };
  return [
    ...plain('panic'),
    ...plain('out-of-memory'),
    ...diskFindings(boots, evidence),
    ...plain('file-system'),
  ];
};
