import { expect, test } from 'vitest';
import type { BootRun } from '../proof.ts';
import { combineRuns, type FirmwareResult } from './combine-runs.ts';
import type { RunResult } from './run-machine.ts';

const result = (run: Partial<BootRun>, failedUnits: readonly string[] = []): RunResult => ({
  silent: false,
  starvedShare: 0,
  ...{ bySilence: false, byProcessor: false },
  failedUnits,
  run: {
    ...{ start: 'disk', firmware: 'bios', accelerator: 'tcg', passed: true, seconds: 30 },
    ...{ stages: [{ stage: 'login', seconds: 30 }], stoppedAt: null, cause: null, notJudged: null },
    ...{ evidence: ['web-3 login:'], screen: null },
    ...run,
  },
});

const of = (...results: readonly RunResult[]): FirmwareResult => ({
  firmware: results[0]?.run.firmware ?? 'bios',
  results,
  notJudged: null,
});

const failed = {
  passed: false,
  stoppedAt: 'boot-loader',
  cause: 'GRUB gave up.',
  stages: [],
} as const;

const asked = { target: null, bus: 'virtio' } as const;

test('a boot to the login passes, with its failed units named', () => {
  const proof = combineRuns([of(result({}, ['shop.service']))], {
    target: 'multi-user.target',
    bus: 'virtio',
  });
  expect(proof).toMatchObject({ boots: true, failedUnits: ['shop.service'], cause: null });
  expect(proof.evidence[0]).toContain('login prompt after 30 s');
});

test('with two firmwares both have to pass, and the one that does not is the verdict', () => {
  const proof = combineRuns([of(result({})), of(result({ ...failed, firmware: 'uefi' }))], asked);
  expect(proof).toMatchObject({ boots: false, firmware: 'uefi', stoppedAt: 'boot-loader' });
  expect(proof.cause).toBe('With UEFI: GRUB gave up. With BIOS it boots.');
  expect(proof.runs).toHaveLength(2);
});

test('a silent system is judged by the start of its own kernel, and both starts are told', () => {
  const silent = result({
    ...{ passed: false, stoppedAt: 'kernel', cause: 'It is silent.', screen: '/x.png' },
    stages: [{ stage: 'boot-loader', seconds: 1 }],
  });
  const proof = combineRuns([of(silent, result({ start: 'kernel' }))], asked);
  expect(proof).toMatchObject({ boots: true, screen: '/x.png', seconds: 60 });
  expect(proof.stages.map(({ stage }) => stage)).toEqual(['boot-loader', 'login']);
  expect(proof.evidence.slice(0, 2).map((line) => line.includes('kernel'))).toEqual([false, true]);
});

const open = { ...failed, cause: null, notJudged: 'It was not through.' } as const;

test('what was not judged is no failure and no boot, and says what the other firmware showed', () => {
  const proof = combineRuns([of(result({})), of(result({ ...open, firmware: 'uefi' }))], asked);
  expect(proof).toMatchObject({ boots: false, cause: null, firmware: 'uefi' });
  expect(proof.notJudged).toBe('With UEFI: It was not through. With BIOS it boots.');
  expect(combineRuns([of(result(open))], asked).notJudged).toBe('It was not through.');
});

test('a failure with one firmware is the verdict, whatever was not judged with the other', () => {
  const proof = combineRuns([of(result(open)), of(result({ ...failed, firmware: 'uefi' }))], asked);
  expect(proof).toMatchObject({ boots: false, firmware: 'uefi', notJudged: null });
  expect(proof.cause).toBe('With UEFI: GRUB gave up. With BIOS it was not judged.');
});

test('a last start that says nothing of the first one does not make it pass', () => {
  const kernel = { ...of(result({}), result({ start: 'kernel' })), notJudged: 'No Secure Boot.' };
  expect(combineRuns([kernel], asked)).toMatchObject({
    boots: false,
    notJudged: 'No Secure Boot.',
  });
});

test('nothing tried is no boot', () => {
  expect(combineRuns([], asked)).toMatchObject({ boots: false, cause: null });
  expect(combineRuns([], asked).notJudged).not.toBeNull();
});
