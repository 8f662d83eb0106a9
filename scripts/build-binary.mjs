// Builds dist/rescuekit: one executable with Node inside, for rescue hosts that have none.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleCommonJs, repository } from './bundle.mjs';

const dist = join(repository, 'dist');
const executable = join(dist, 'rescuekit');
await bundleCommonJs(join(dist, 'rescuekit.cjs'));
const work = await mkdtemp(join(dist, 'binary-'));
try {
  const config = join(work, 'config.json');
  const output = join(work, 'rescuekit');
  const settings = {
    main: join(dist, 'rescuekit.cjs'),
    output,
    disableExperimentalSEAWarning: true,
    // The compiled code is kept in the executable; without it each start compiles anew.
    useCodeCache: true,
    // NODE_OPTIONS of the rescue host is not for this program.
    execArgvExtension: 'none',
  };
  await writeFile(config, JSON.stringify(settings));
  // The pinned Node is what goes into the executable, whatever Node runs this script.
  execFileSync(join(repository, 'node_modules/.bin/node'), ['--build-sea', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await rename(output, executable);
} finally {
  await rm(work, { recursive: true, force: true });
}
console.log(executable);
