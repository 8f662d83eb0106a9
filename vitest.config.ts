import { defineConfig } from 'vitest/config';
import { failureReporter } from './scripts/failure-reporter.ts';
import { LongFilesFirst } from './scripts/long-files-first.ts';

const loopTests = '**/*.loop.test.ts';
const faultTests = '**/*.faults.test.ts';
const vmTests = '**/*.vm.test.ts';
const elsewhere = ['**/node_modules/**', 'dist/**'];

/** `scripts/test` names the file from which it counts passed, failed and skipped tests. */
const report = process.env.RESCUEKIT_TEST_REPORT;

export default defineConfig({
  test: {
    reporters:
      report === undefined
        ? ['default']
        : ['default', failureReporter, ['json', { outputFile: report }]],
    sequence: { sequencer: LongFilesFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{src,fixtures,scripts}/**/*.test.ts'],
          exclude: [loopTests, faultTests, vmTests, ...elsewhere],
          // Property tests take seconds on a machine that is busy with something else.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'loop',
          include: ['{src,fixtures,scripts}/**/*.loop.test.ts'],
          exclude: elsewhere,
          // Loop devices, mounts and containers are the machine's: two files at once would see
          // each other's, and on two cores they would only be slower.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
          retry: 0,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['src/**/*.faults.test.ts'],
          exclude: elsewhere,
          globalSetup: ['fixtures/broken/hold-nspawn.ts'],
          // Each has disks and sessions of its own and looks only at those. Beside them runs `vm`.
          maxWorkers: 2,
          // A repair, a boot, a second repair and an undo, with another one beside it.
          testTimeout: 600_000,
          hookTimeout: 300_000,
          retry: 0,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'vm',
          include: ['{src,fixtures,scripts}/**/*.vm.test.ts'],
          exclude: elsewhere,
          // Each file has a machine of its own in QEMU. In software emulation a machine keeps one core
          // busy, so two at a time are twice as fast and more are none.
          maxWorkers: 2,
          // A boot that stands still is given up after 420 s: then it is the boot that tells why.
          testTimeout: 600_000,
          // The first one makes the rescue host, when nothing is in the cache.
          hookTimeout: 480_000,
          retry: 0,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
