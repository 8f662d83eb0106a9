import type { Finding } from './finding.ts';
import type { Subject } from './subject.ts';

/** Rooms of the diagnosis, in the order in which a person reads them. */
export const areas = [
  'fstab',
  'kernel',
  'boot-loader',
  'userland',
  'space',
  'access',
  'network',
  'last-boots',
  /** Checks of the person's own. */
  'own',
] as const;

export type Area = (typeof areas)[number];

/** One question to a system. Looks only; throws only for what is a fault of this program. */
export type Check = {
  readonly area: Area;
  /** Ids of all findings that it can give: each has a page below docs/findings. */
  readonly finds: readonly string[];
  readonly run: (subject: Subject) => Promise<readonly Finding[]>;
};
