import { z } from 'zod';
import type { RescueError } from '../host/rescue-error.ts';

/** What every command writes to standard output under `--json` when it fails. */
export const errorDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  error: z.object({
    /** Stable identifier in capitals, for instance `LOCKED`. */
    code: z.string(),
    message: z.string(),
    /** What to do next; empty when nothing can be said. */
    hint: z.string(),
  }),
});

export const errorDocument = ({
  code,
  message,
  hint,
}: RescueError): z.infer<typeof errorDocumentSchema> => ({
  schemaVersion: 1,
  error: { code, message, hint },
});
