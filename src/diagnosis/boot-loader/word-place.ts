import type { BootEntry } from '../../system-image/boot-entry.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Evidence } from '../finding.ts';

/**
 * Whether a file is a menu of GRUB that no repair writes: on the EFI system partition, where RHEL 7
 * and 8 keep it.
 */
export const isForeignMenu = (path: string): boolean =>
  path.endsWith('/grub.cfg') && !/^\/boot\/grub2?\//.test(path);

const isSaved = ({ saved }: BootEntry, words: readonly string[]): boolean =>
  words.some((word) => saved?.words.includes(word) === true);

/**
 * Whether a repair can edit these words of an entry's command line: not where they stand in a
 * variable of GRUB, nor in a menu that no repair writes.
 */
export const canBeEdited = (entry: BootEntry, words: readonly string[]): boolean =>
  !isSaved(entry, words) && !isForeignMenu(entry.path);

/** Where words of an entry's command line stand: in the entry, or in a variable of GRUB. */
export const wordEvidence = (entry: BootEntry, words: readonly string[], text: string): Evidence =>
  entry.saved !== null && isSaved(entry, words)
    ? fileEvidence(entry.saved.path, null, `kernelopts has ${text}`)
    : fileEvidence(entry.path, entry.kernelLine, text);
