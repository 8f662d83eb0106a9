// Builds dist/rescuekit.mjs, the command as Node runs it.
import { chmod, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { bundleModules, repository } from './bundle.mjs';

const started = new Date();
const entry = `${repository}/dist/rescuekit.mjs`;
await rm(`${repository}/dist/chunks`, { recursive: true, force: true });
await bundleModules(`${repository}/dist`);
// Only the entry is started by its name; a chunk with this line would be no module.
await writeFile(entry, `#!/usr/bin/env node\n${await readFile(entry, 'utf8')}`);
await chmod(entry, 0o755);
// As old as the sources that were read: what is edited during the build makes it stale.
await utimes(entry, started, started);
