import { randomBytes } from 'node:crypto';

const pattern = /^\.rescuekit-(?:\d+|[0-9a-f]{32})\.new$/;

/**
 * A name for what is made beside an entry before it takes its place. Nobody can foresee it: programs
 * that write to a name follow a link that is there already, and the disk may hold one that leads to
 * a file of the rescue host.
 */
export const temporaryName = (): string => `.rescuekit-${randomBytes(16).toString('hex')}.new`;

/** Whether a killed process may have left it; with a number in it, one of an earlier version. */
export const isTemporaryName = (name: string): boolean => pattern.test(name);
