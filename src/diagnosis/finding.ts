import { z } from 'zod';

/**
 * `critical`: the system does not boot, or cannot be reached once it has. `warning`: it boots, and
 * something of it does not work or soon will not. `info`: worth knowing, nothing to mend.
 */
export const severitySchema = z.enum(['critical', 'warning', 'info']);

export const evidenceSchema = z.discriminatedUnion('kind', [
  /** A place in a file of the system. */
  z.object({
    kind: z.literal('file'),
    path: z.string(),
    /** From 1; null when it is about the whole file. */
    line: z.int().nullable(),
    /** What stands there, or what is so about the file ("mode 0777", "is missing"). */
    text: z.string(),
  }),
  /** What a command said that looked. */
  z.object({ kind: z.literal('command'), command: z.string(), output: z.string() }),
]);

export type Evidence = Readonly<z.infer<typeof evidenceSchema>>;

export const findingSchema = z.object({
  /** `AREA.CAUSE`, for instance `fstab.missing-device`; each has a page below docs/findings. */
  id: z.string(),
  severity: severitySchema,
  /** One sentence that names the thing and what is wrong with it. */
  title: z.string(),
  /**
   * What it is about, by which two findings of one id are told apart: `/etc/fstab:4`, a unit, a
   * kernel's version. Stable from one run to the next as long as the fault is there.
   */
  subject: z.string(),
  evidence: z.array(evidenceSchema).readonly(),
  /** What it means for the boot, one or two sentences. */
  meaning: z.string(),
  /** Id of the repair that mends it; null when there is none that is safe. */
  repair: z.string().nullable(),
});

export type Finding = Readonly<z.infer<typeof findingSchema>>;

/** Findings that say that something is wrong, without what is only worth knowing. */
export const problemsAmong = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ severity }) => severity !== 'info');

/** Two findings are the same when they say the same thing of the same subject. */
export const findingKey = ({ id, subject }: Pick<Finding, 'id' | 'subject'>): string =>
  `${id} ${subject}`;
