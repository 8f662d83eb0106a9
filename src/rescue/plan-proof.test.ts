import { describe, expect, it } from 'vitest';
import type { AppliedRepair } from './apply-repairs.ts';
import { planProof } from './plan-proof.ts';

const applied = (...proofs: readonly AppliedRepair['proof'][]): readonly AppliedRepair[] =>
  proofs.map((proof) => ({
    ...{ id: 'a.b', title: 'Mend', changes: [], commands: [], proof },
    ...{ commandsOn: 'layer', irreversible: false },
  }));

describe('the proof after a repair', () => {
  it('is the one that sees the most of what was changed', () => {
    expect(planProof('auto', applied('container', 'vm', 'none'), null)).toEqual({
      method: 'vm',
      notProven: null,
    });
    expect(planProof('auto', applied('none', 'container'), null).method).toBe('container');
  });

  it('is not called one where the container cannot see what was changed', () => {
    const plan = planProof('auto', applied('vm'), 'QEMU is not installed');
    expect(plan.method).toBe('container');
    expect(plan.notProven).toContain('QEMU is not installed');
    expect(planProof('container', applied('vm'), null).notProven).not.toBe(null);
    expect(planProof('container', applied('container'), null).notProven).toBe(null);
  });

  it('is left out when it is not wanted or shows nothing, and that is said', () => {
    expect(planProof('none', applied('container'), null)).toMatchObject({ method: null });
    expect(planProof('auto', applied('none'), null)).toEqual({
      method: null,
      notProven: 'no boot shows what was changed',
    });
  });
});
