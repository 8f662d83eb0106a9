import type { Evidence, Finding } from '../finding.ts';
import { type Trouble, troubleOf, withoutStamp } from './kernel-trouble.ts';

type Words = Pick<Finding, 'id' | 'title' | 'subject' | 'meaning' | 'severity'>;

const words: Readonly<Record<Trouble, Words>> = {
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
    title: 'The kernel ran out of memory in one of the last boots and ended programs.',
    subject: 'kernel',
    meaning:
      'A service that was ended so, or a machine that stood still, may be all that was wrong.',
  },
  disk: {
    id: 'last-boots.disk-errors',
    severity: 'warning',
    title: 'The kernel could not read or write a disk in one of the last boots.',
    subject: 'kernel',
    meaning:
      'The disk may be dying. Copy what is on it before anything else is done, repairs included.',
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

/** One line that says I/O error may be a cable that was pulled; a medium error is the disk itself. */
const enoughFor = (trouble: Trouble, lines: readonly string[]): boolean =>
  trouble !== 'disk' ||
  lines.length >= 3 ||
  lines.some((line) => /medium error|Unrecovered read error|auto reallocate failed/.test(line));

/**
 * What the kernel's lines of the last boots come to.
 *
 * @param evidence makes the lines of one trouble into evidence.
 */
export const kernelFindings = (
  messages: readonly string[],
  evidence: (lines: readonly string[]) => Evidence,
): readonly Finding[] =>
  (['panic', 'out-of-memory', 'disk', 'file-system'] as const).flatMap((trouble) => {
    const lines = messages.filter((message) => troubleOf(message) === trouble).map(withoutStamp);
    if (lines.length === 0 || !enoughFor(trouble, lines)) return [];
    return [{ ...words[trouble], evidence: [evidence(lines)], repair: null }];
  });
