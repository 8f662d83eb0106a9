import { isKernelLine } from './console-lines.ts';

/** cryptsetup, initramfs-tools and systemd-cryptsetup of a key that they could not use. */
const keyRefused =
  /bad password or options|maximum number of tries exceeded|No key available with this passphrase|Not enough available memory to open|Failed to activate with specified passphrase|^\[FAILED\] Failed to start (?:systemd-cryptset|Cryptography Setup)/;

/** Follows where the system's questions stand among its lines, and which of them were answered. */
export type Questions = {
  /** A line was ended. */
  readonly take: (line: string) => void;
  /** What stands last is answered now. */
  readonly answered: () => void;
  /** The system starts anew and will ask again. */
  readonly clear: () => void;
  /** Whether a line was ended since the last answer: until then its question still stands there. */
  readonly isNew: () => boolean;
  /** The line behind which only the kernel has written since, when it came after the last answer. */
  readonly cut: () => string | null;
  /** It was said that an answer was no key to a volume. */
  readonly refusedKey: () => boolean;
};

export const questions = (): Questions => {
  let lines = 0;
  /** The last line that was not the kernel's, and its number from 1. */
  let spoken = { line: '', number: 0 };
  /** Lines at the last answer. */
  let answeredAt: number | null = null;
  let isRefused = false;
  const isBehindAnswer = (number: number): boolean => answeredAt === null || number > answeredAt;
  return {
    take: (line) => {
      lines += 1;
      if (!isKernelLine(line)) spoken = { line, number: lines };
      isRefused ||= answeredAt !== null && keyRefused.test(line);
    },
    answered: () => {
      answeredAt = lines;
    },
    clear: () => {
      answeredAt = null;
      isRefused = false;
    },
    isNew: () => isBehindAnswer(lines),
    // The first line that is ended behind an answer is that of its question.
    cut: () => (spoken.number < lines && isBehindAnswer(spoken.number - 1) ? spoken.line : null),
    refusedKey: () => isRefused,
  };
};
