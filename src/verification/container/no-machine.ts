import type { Proof } from '../proof.ts';

/** What every proof in a container leaves open: there is no machine with firmware and a screen. */
export const noMachine = {
  method: 'container',
  notJudged: null,
  stages: [],
  stoppedAt: null,
  firmware: null,
  accelerator: null,
  bus: null,
  screen: null,
  runs: [],
} as const satisfies Partial<Proof>;
