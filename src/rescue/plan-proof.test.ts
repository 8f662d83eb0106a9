import { describe, expect, it } from 'vitest';
import type { AppliedRepair } from './apply-repairs.ts';
import { fittingForPaths, fittingProof, planLayerProof, planProof } from './plan-proof.ts';

const applied = (...proofs: readonly AppliedRepair['proof'][]) =>
  fittingProof(
    proofs.map((proof) => ({
      ...{ id: 'a.b', title: 'Mend', changes: [], commands: [], proof },
      ...{ commandsOn: 'layer', irreversible: null },
    })),
  );

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

describe('the proof of a layer', () => {
  it('goes by the files that are different', () => {
    expect(fittingForPaths(['/etc/hosts', '/var/log/x'])).toBe('container');
    const files = [
      ...['/etc/fstab', '/boot/grub/grub.cfg', '/usr/lib/modules/6.1/modules.dep'],
      ...['/usr/sbin/init', '/vmlinuz', '/.autorelabel', '/etc/selinux/config'],
      ...['/etc/mkinitcpio.conf', '/etc/systemd/system/srv-data.mount'],
    ];
    for (const path of files) expect(fittingForPaths(['/etc/hosts', path])).toBe('vm');
    expect(fittingForPaths(['/etc/fstab.d', '/bootlog', '/etc/fstabs'])).toBe('vm');
    expect(fittingForPaths(['/bootlog', '/etc/fstabs'])).toBe('container');
  });

  it('is missing where the container cannot see what was changed, so nothing is committed', () => {
    expect(planLayerProof('auto', 'vm', 'the layers are over file systems')).toMatchObject({
      method: 'container',
      isMissing: true,
    });
    expect(planLayerProof('container', 'vm', null)).toMatchObject({ isMissing: true });
    expect(planLayerProof('vm', 'vm', 'there is no QEMU')).toMatchObject({
      ...{ method: null, notProven: 'there is no QEMU', isMissing: true },
    });
  });

  it('is as good as it can be where no boot shows more, and is not asked for twice', () => {
    expect(planLayerProof('auto', null, null)).toMatchObject({
      ...{ method: 'container', isMissing: false },
    });
    expect(planLayerProof('auto', 'vm', null)).toEqual({
      ...{ method: 'vm', notProven: null, isMissing: false },
    });
    expect(planLayerProof('none', 'vm', null)).toMatchObject({ method: null, isMissing: false });
  });
});
