import { createHash } from 'node:crypto';

/** SHA-256 in hexadecimal digits, as sha256sum(1) writes it. */
export const sha256 = (bytes: Buffer | string): string =>
  createHash('sha256').update(bytes).digest('hex');
