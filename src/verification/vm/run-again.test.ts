import { expect, test } from 'vitest';
import type { Accelerator, BootStage } from '../proof.ts';
import { untilSound } from './run-again.ts';
import type { RunResult } from './run-machine.ts';

const ended = (
  cause: string | null,
  {
    starvedShare = 0.4,
    stoppedAt = null as BootStage | null,
    bySilence = false,
    silent = false,
  } = {},
): RunResult => ({
  ...{ silent, failedUnits: [], starvedShare, bySilence, byProcessor: false },
  run: {
    ...{ start: 'disk', firmware: 'bios', accelerator: 'tcg', passed: cause === null, seconds: 1 },
    ...{ stages: [], stoppedAt, cause, notJudged: null, evidence: [], screen: null },
  },
});

const panicked = ended("The kernel panicked (IO-APIC + timer doesn't work!).");

const runsOf = (results: readonly RunResult[]) => {
  const left = [...results];
  return async (): Promise<RunResult> => left.shift() ?? ended('nothing left');
};

test('a panic of the emulation is tried again and never a verdict', async () => {
  expect((await untilSound('tcg', runsOf([panicked, ended(null)]))).run.passed).toBe(true);
  await expect(untilSound('tcg', runsOf([panicked, panicked, panicked]))).rejects.toMatchObject({
    code: 'VM_UNRELIABLE',
  });
});

test("the system's own panic is its verdict at once", async () => {
  const result = await untilSound(
    'tcg',
    runsOf([ended('VFS: Unable to mount root fs'), ended(null)]),
  );
  expect(result.run.passed).toBe(false);
});

test('what gave up by the clock on a machine without processor time is no verdict', async () => {
  const late = ended('Timed out waiting for device', {
    ...{ starvedShare: 0.95, stoppedAt: 'root-mounted' },
  });
  expect((await untilSound('tcg', runsOf([late, ended(null)]))).run.passed).toBe(true);
  await expect(untilSound('tcg', runsOf([late, late]))).rejects.toMatchObject({
    code: 'VM_UNRELIABLE',
  });
});

test('a boot loader that finds nothing has found nothing, however slow the machine is', async () => {
  const slow = ended('no such device', { starvedShare: 0.95, stoppedAt: 'boot-loader' });
  expect((await untilSound('tcg', runsOf([slow, ended(null)]))).run.cause).toBe('no such device');
});

test('silence is no verdict at any stage where the machine had no time to speak', async () => {
  const silent = ended('The boot loader stood still.', {
    ...{ starvedShare: 0.95, stoppedAt: 'boot-loader', bySilence: true },
  });
  expect((await untilSound('tcg', runsOf([silent, ended(null)]))).run.passed).toBe(true);
});

test('a boot that passed is not repeated, however slow it was', async () => {
  const passed = ended(null, { starvedShare: 0.95 });
  expect(await untilSound('tcg', runsOf([passed]))).toBe(passed);
});

const underKvm = async (first: RunResult, second: RunResult) => {
  const used: Accelerator[] = [];
  const left = [first, second];
  const result = await untilSound('kvm', async (accelerator) => {
    used.push(accelerator);
    return left.shift() ?? second;
  });
  return { used, result };
};

test.for(['firmware', 'boot-loader', 'kernel'] as const)(
  'silence in %s under KVM is looked at once more without it, and that is the verdict',
  async (stoppedAt) => {
    const silent = ended('Nothing came any more.', { stoppedAt, bySilence: true });
    const passed = ended(null);
    expect(await underKvm(silent, passed)).toEqual({ used: ['kvm', 'tcg'], result: passed });
    const { used, result } = await underKvm(silent, silent);
    expect([used, result.run.cause]).toEqual([['kvm', 'tcg'], 'Nothing came any more.']);
  },
);

test('so is a processor that stopped, or started again and again', async () => {
  const stopped = { ...ended('It is damaged.', { stoppedAt: 'kernel' }), byProcessor: true };
  expect((await underKvm(stopped, ended(null))).used).toEqual(['kvm', 'tcg']);
});

test('what was said under KVM, what hung in userland and a silent console stay as they are', async () => {
  const said = ended('no such device', { stoppedAt: 'boot-loader' });
  const hung = ended('It still waits.', { stoppedAt: 'root-mounted', bySilence: true });
  const silent = ended('It is silent.', { stoppedAt: 'kernel', bySilence: true, silent: true });
  for (const one of [said, hung, silent]) {
    expect((await underKvm(one, ended(null))).used).toEqual(['kvm']);
  }
});
