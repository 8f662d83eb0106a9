import { z } from 'zod';
import { severitySchema } from '../../diagnosis/finding.ts';
import { repairStages } from '../repair.ts';

/** `manifest.json` of a repair of the person's own. */
export const manifestSchema = z.strictObject({
  /** `own.NAME`: so that it is never taken for one of rescuekit's. */
  id: z.string().regex(/^own\.[a-z0-9][a-z0-9-]*$/, 'wants own.NAME in small letters and dashes'),
  title: z.string().min(1),
  why: z.string().min(1),
  risk: z.string().min(1),
  stage: z.enum(repairStages),
  proof: z.enum(['container', 'vm', 'none']).default('none'),
  /** Seconds until a call of the program is ended. */
  timeoutSeconds: z.int().min(1).max(3600).default(60),
});

export type Manifest = Readonly<z.infer<typeof manifestSchema>>;

/** What the program answers when it is called with `diagnose`. */
export const ownFindingsSchema = z.object({
  findings: z
    .array(
      z.object({
        severity: severitySchema,
        title: z.string(),
        subject: z.string(),
        meaning: z.string(),
        evidence: z
          .array(
            z.object({
              path: z.string(),
              line: z.int().nullable().default(null),
              text: z.string(),
            }),
          )
          .readonly()
          .default([]),
      }),
    )
    .readonly(),
});

const attributesSchema = z.object({
  mode: z.int().min(0).max(0o7777).optional(),
  uid: z.int().min(0).optional(),
  gid: z.int().min(0).optional(),
});

const absolute = z.string().startsWith('/', 'wants a path of the system, from its root');

/** A change as the program writes it; `base64` for content that is no text. */
const ownChangeSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('write-file'),
    path: absolute,
    content: z.string().optional(),
    base64: z.string().optional(),
    attributes: attributesSchema.optional(),
  }),
  z.object({ kind: z.literal('make-link'), path: absolute, to: z.string() }),
  z.object({
    kind: z.literal('make-directory'),
    path: absolute,
    attributes: attributesSchema.required(),
  }),
  z.object({ kind: z.literal('remove'), path: absolute }),
  z.object({
    kind: z.literal('set-attributes'),
    path: absolute,
    attributes: attributesSchema,
    clearFlags: z.array(z.enum(['immutable', 'append-only'])).optional(),
  }),
]);

export type OwnChange = z.infer<typeof ownChangeSchema>;

/** What the program answers when it is called with `plan`. */
export const ownPlanSchema = z.union([
  z.object({ changes: z.array(ownChangeSchema).readonly() }),
  z.object({ refused: z.string(), hint: z.string().default('') }),
]);
