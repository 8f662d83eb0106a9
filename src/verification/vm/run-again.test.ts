import { expect, test } from 'vitest';
import { untilSound } from './run-again.ts';
import type { RunResult } from './run-machine.ts';

const ended = (cause: string | null): RunResult => ({
  silent: false,
  failedUnits: [],
  run: {
    ...{ start: 'disk', firmware: 'bios', accelerator: 'tcg', passed: cause === null, seconds: 1 },
    ...{ stages: [], stoppedAt: null, cause, evidence: [], screen: null },
  },
});

const starved = ended("The kernel panicked (IO-APIC + timer doesn't work!).");

const runsOf = (results: readonly RunResult[]) => {
  const left = [...results];
  return async (): Promise<RunResult> => left.shift() ?? ended('nothing left');
};

test('a panic of the emulation is tried again and never a verdict', async () => {
  expect((await untilSound(runsOf([starved, ended(null)]))).run.passed).toBe(true);
  await expect(untilSound(runsOf([starved, starved, starved]))).rejects.toMatchObject({
    code: 'VM_UNRELIABLE',
  });
});

test("the system's own panic is its verdict at once", async () => {
  const result = await untilSound(runsOf([ended('VFS: Unable to mount root fs'), ended(null)]));
  expect(result.run.passed).toBe(false);
});
