import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RescueError } from '../host/rescue-error.ts';
import { errorDocument, errorDocumentSchema } from './error-document.ts';
import { jsonSchemaFiles } from './json-schemas.ts';

const directory = new URL('../../docs/reference/schemas/', import.meta.url);
const files = jsonSchemaFiles();

describe('the JSON Schemas in the documentation', () => {
  it.each([...files])(
    '%s is what the code describes (node scripts/json-schemas.mjs)',
    (name, text) => {
      expect(readFileSync(new URL(name, directory), 'utf8')).toBe(text);
    },
  );

  it('are those of the documents there are, no more and no fewer', () => {
    expect(readdirSync(directory).sort()).toEqual([...files.keys()].sort());
  });

  it.each([...files])('%s leaves room for fields of later versions', (_name, text) => {
    expect(text).not.toContain('"additionalProperties": false');
    expect(JSON.parse(text)).toMatchObject({
      type: 'object',
      properties: { schemaVersion: { const: 1 } },
    });
  });
});

describe('the error document', () => {
  it('has code, message and hint, the hint empty where there is none', () => {
    const error = new RescueError({ code: 'BUSY', message: 'It is in use.' });
    expect(errorDocumentSchema.parse(errorDocument(error))).toEqual({
      schemaVersion: 1,
      error: { code: 'BUSY', message: 'It is in use.', hint: '' },
    });
  });
});
