// Writes the JSON Schemas of the --json documents: node scripts/json-schemas.mjs
import { mkdirSync, writeFileSync } from 'node:fs';
import { jsonSchemaFiles } from '../src/commands/json-schemas.ts';

const directory = new URL('../docs/reference/schemas/', import.meta.url);
mkdirSync(directory, { recursive: true });
for (const [name, text] of jsonSchemaFiles()) writeFileSync(new URL(name, directory), text);
