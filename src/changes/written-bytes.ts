import { losslessBytes } from '../host/lossless-text.ts';
import type { Change } from './change.ts';

/**
 * The change with the bytes that are to be written, where they are no UTF-8: a string would be written
 * with the sign for what cannot be read in their place.
 */
export const inBytes = (change: Change): Change =>
  change.kind === 'write-file' &&
  typeof change.content === 'string' &&
  !change.content.isWellFormed()
    ? { ...change, content: losslessBytes(change.content) }
    : change;
