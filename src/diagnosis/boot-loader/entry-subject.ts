import { plainText } from '../../host/plain-text.ts';
import type { BootEntry } from '../../system-image/boot-entry.ts';

/** What a finding of a menu's entry is about: repairs find the entry again by it. */
export const entrySubject = ({ path, id, title }: BootEntry): string =>
  `${plainText(path)} ${plainText(id ?? title)}`;
