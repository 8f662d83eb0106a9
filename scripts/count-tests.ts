// Prints "PASSED FAILED SKIPPED" from the file that vitest's JSON reporter wrote.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const reportSchema = z.object({
  success: z.boolean(),
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numTodoTests: z.int(),
  testResults: z.array(
    z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) }),
  ),
});

const count = async (path: string): Promise<readonly [number, number, number]> => {
  const report = reportSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  // A file that could not be loaded, or whose hook failed, has no failed test of its own.
  const failedFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((result) => result.status !== 'failed'),
  ).length;
  const failed = report.numFailedTests + failedFiles;
  return [
    report.numPassedTests,
    // Unhandled errors outside of tests fail the run without failing a test.
    failed === 0 && !report.success ? 1 : failed,
    report.numPendingTests + report.numTodoTests,
  ];
};

try {
  console.log((await count(process.argv[2] ?? '')).join(' '));
} catch (error) {
  // No report is no success: vitest did not get to its end.
  console.error(error);
  console.log('0 1 0');
}
