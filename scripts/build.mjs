// Builds dist/rescuekit.mjs, the command as Node runs it.
import { chmod, rm, utimes } from 'node:fs/promises';
import { bundleModules, repository } from './bundle.mjs';

const started = new Date();
const entry = `${repository}/dist/rescuekit.mjs`;
await rm(`${repository}/dist/chunks`, { recursive: true, force: true });
await bundleModules(`${repository}/dist`);
await chmod(entry, 0o755);
// As old as the sources that were read: what is edited during the build makes it stale.
await utimes(entry, started, started);
