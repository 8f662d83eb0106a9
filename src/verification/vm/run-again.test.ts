import { expect, test } from 'vitest';
import type { BootStage } from '../proof.ts';
import { untilSound } from './run-again.ts';
import type { RunResult } from './run-machine.ts';

const ended = (
  cause: string | null,
  { starvedShare = 0.4, stoppedAt = null as BootStage | null, bySilence = false } = {},
): RunResult => ({
  ...{ silent: false, failedUnits: [], starvedShare, bySilence },
  run: {
    ...{ start: 'disk', firmware: 'bios', accelerator: 'tcg', passed: cause === null, seconds: 1 },
    ...{ stages: [], stoppedAt, cause, evidence: [], screen: null },
  },
});

const panicked = ended("The kernel panicked (IO-APIC + timer doesn't work!).");

const runsOf = (results: readonly RunResult[]) => {
  const left = [...results];
  return async (): Promise<RunResult> => left.shift() ?? ended('nothing left');
};

test('a panic of the emulation is tried again and never a verdict', async () => {
  expect((await untilSound(runsOf([panicked, ended(null)]))).run.passed).toBe(true);
  await expect(untilSound(runsOf([panicked, panicked, panicked]))).rejects.toMatchObject({
    code: 'VM_UNRELIABLE',
  });
});

test("the system's own panic is its verdict at once", async () => {
  const result = await untilSound(runsOf([ended('VFS: Unable to mount root fs'), ended(null)]));
  expect(result.run.passed).toBe(false);
});

test('what gave up by the clock on a machine without processor time is no verdict', async () => {
  const late = ended('Timed out waiting for device', {
    ...{ starvedShare: 0.95, stoppedAt: 'root-mounted' },
  });
  expect((await untilSound(runsOf([late, ended(null)]))).run.passed).toBe(true);
  await expect(untilSound(runsOf([late, late]))).rejects.toMatchObject({ code: 'VM_UNRELIABLE' });
});

test('a boot loader that finds nothing has found nothing, however slow the machine is', async () => {
  const slow = ended('no such device', { starvedShare: 0.95, stoppedAt: 'boot-loader' });
  expect((await untilSound(runsOf([slow, ended(null)]))).run.cause).toBe('no such device');
});

test('silence is no verdict at any stage where the machine had no time to speak', async () => {
  const silent = ended('The boot loader stood still.', {
    ...{ starvedShare: 0.95, stoppedAt: 'boot-loader', bySilence: true },
  });
  expect((await untilSound(runsOf([silent, ended(null)]))).run.passed).toBe(true);
});

test('a boot that passed is not repeated, however slow it was', async () => {
  const passed = ended(null, { starvedShare: 0.95 });
  expect(await untilSound(runsOf([passed]))).toBe(passed);
});
