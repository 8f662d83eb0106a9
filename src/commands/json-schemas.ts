import { z } from 'zod';
import { hookInputSchema } from '../rescue/hook-input.ts';
import { checkDocumentSchema } from './check.ts';
import { cleanupDocumentSchema } from './cleanup.ts';
import { diagnoseDocumentSchema } from './diagnose.ts';
import { dryRunDocumentSchema } from './dry-run.ts';
import { errorDocumentSchema } from './error-document.ts';
import { inspectDocumentSchema } from './inspect.ts';
import { listDocumentSchema } from './list.ts';
import { mountDocumentSchema } from './mount.ts';
import { rehearseDocumentSchema } from './rehearse.ts';
import { repairDocumentSchema } from './repair.ts';
import { rescueDocumentSchema } from './rescue.ts';
import { statusDocumentSchema, transcriptDocumentSchema } from './status.ts';
import { undoDocumentSchema } from './undo.ts';
import { verifyDocumentSchema } from './verify.ts';

/** Each document with what writes it. */
const documents: Readonly<Record<string, readonly [title: string, schema: z.ZodType]>> = {
  list: ['rescuekit list --json', listDocumentSchema],
  inspect: ['rescuekit inspect TARGET --json', inspectDocumentSchema],
  check: ['rescuekit check TARGET --json', checkDocumentSchema],
  diagnose: ['rescuekit diagnose TARGET --json', diagnoseDocumentSchema],
  mount: ['rescuekit mount TARGET --json', mountDocumentSchema],
  repair: ['rescuekit repair TARGET --json', repairDocumentSchema],
  undo: ['rescuekit undo SESSION --json', undoDocumentSchema],
  rescue: ['rescuekit rescue TARGET --json', rescueDocumentSchema],
  verify: ['rescuekit verify TARGET --json', verifyDocumentSchema],
  rehearse: ['rescuekit rehearse SESSION --json', rehearseDocumentSchema],
  status: ['rescuekit status --json', statusDocumentSchema],
  transcript: ['rescuekit status --transcript SESSION --json', transcriptDocumentSchema],
  cleanup: ['rescuekit cleanup --json', cleanupDocumentSchema],
  'dry-run': [
    'rescuekit check, mount, rescue or verify with --dry-run --json',
    dryRunDocumentSchema,
  ],
  'hook-input': ['What a hook reads on standard input', hookInputSchema],
  error: ['Any command with --json that fails', errorDocumentSchema],
};

const toJsonSchema = (title: string, schema: z.ZodType): unknown => {
  const made = z.toJSONSchema(schema, {
    override: ({ jsonSchema }) => {
      // Fields are added in later versions: a reader must not refuse them.
      delete jsonSchema.additionalProperties;
      // zod's mark for TypeScript; in JSON Schema the word is about who may write a field.
      delete jsonSchema.readOnly;
    },
  });
  const { $schema, ...rest } = made;
  return { $schema, title, ...rest };
};

/** The JSON Schemas of all documents as files: name to text. Kept in docs/reference/schemas. */
export const jsonSchemaFiles = (): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(documents).map(([name, [title, schema]]) => [
      `${name}.json`,
      `${JSON.stringify(toJsonSchema(title, schema), null, 2)}\n`,
    ]),
  );
