import { describe, expect, it } from 'vitest';
import { parsedReport, watchedBoot } from '../../../fixtures/watched-boot.ts';
import { judgeContainerBoot } from './judge.ts';
import { missingProof } from './missing-proof.ts';

const judge = (name: string, boot = {}) =>
  judgeContainerBoot(watchedBoot(parsedReport(name), boot));

describe('a boot that reached its target', () => {
  it('boots, with the target behind default.target and what shows it', () => {
    const proof = judge('healthy-262');
    expect(proof).toMatchObject({
      boots: true,
      method: 'container',
      target: 'graphical.target',
      failedUnits: [],
      cause: null,
      seconds: 1.234,
    });
    expect(proof.evidence[0]).toMatch(/^graphical\.target is active \d+\.\d s after systemd 262/);
    expect(proof.evidence).toContain('systemctl is-system-running: running');
    expect(proof.blame).toHaveLength(10);
  });

  it('boots with a failed unit, which is named with its last words', () => {
    const proof = judge('failed-unit-257');
    expect([proof.boots, proof.failedUnits]).toEqual([true, ['bad.service']]);
    expect(proof.units[0]?.journal.join('\n')).toContain('config file is missing');
    expect(proof.evidence).toContain('systemctl is-system-running: degraded');
  });

  it('keeps failures of any container apart from those of the machine', () => {
    const good = judge('network-252');
    expect(good.failedUnits).toEqual([]);
    expect(good.units.map(({ unit }) => unit)).toContain('networking.service');
    expect(good.units.every(({ expected }) => expected !== null)).toBe(true);
    // The same unit, stopped by a line of its configuration that nothing understands.
    expect(judge('bad-network-252').failedUnits).toEqual(['networking.service']);
  });

  it('boots while a job goes on that the target does not wait for, and says so', () => {
    const report = { ...parsedReport('healthy-262'), jobs: parsedReport('blocked-257').jobs };
    const proof = judgeContainerBoot(watchedBoot({ ...report, outcome: 'timeout' }));
    expect(proof.boots).toBe(true);
    expect(proof.evidence.join('\n')).toContain('slow.service start running');
  });
});

describe('a boot that did not', () => {
  it('names the unit that blocks it, the jobs that wait, and what the unit says', () => {
    const proof = judge('blocked-257');
    expect([proof.boots, proof.failedUnits]).toEqual([false, []]);
    expect(proof.cause).toMatch(/^slow\.service blocks the boot: it was still starting after 20 s/);
    expect(proof.evidence[0]).toMatch(/slow\.service start running$/);
    expect(proof.evidence.join('\n')).toContain('graphical.target start waiting');
    expect(proof.evidence.join('\n')).toContain('waiting for the moon');
  });

  it('names the unit that led to the emergency mode', () => {
    const proof = judge('emergency-247');
    expect(proof.cause).toBe('srv.mount failed, and the system went into its emergency mode.');
    expect(proof.failedUnits).toEqual(['srv.mount']);
    expect(proof.evidence.join('\n')).toContain('wrong fs type');
  });

  it('names the unit that is required, and not the first one that failed', () => {
    const report = parsedReport('emergency-247');
    const earlier = { ...report.units[0], unit: 'other.service', failedAt: 1 };
    const units = [{ ...earlier, description: '', result: 'exit-code', journal: [] }];
    const both = { ...report, units: [...units, ...report.units] };
    expect(judgeContainerBoot(watchedBoot(both)).cause).toMatch(/^srv\.mount failed/);
  });

  it('does not call it a fault of the machine when the container is what is in the way', () => {
    const proof = judge('device-mount-257');
    expect([proof.boots, proof.failedUnits]).toEqual([false, []]);
    expect(proof.cause).toBeNull();
    expect(proof.notJudged).toContain('only a boot in a VM can tell');
  });

  it('says that the default target is a link to nothing, or masked', () => {
    const lines = ['Unit default.target not found.', 'Falling back to rescue.target.'];
    const proof = judge('no-default-257', { console: lines });
    expect(proof.cause).toBe('default.target is not there, or it is a link to nothing.');
    expect(proof.evidence).toEqual(['default.target: LoadState=not-found', ...lines]);
    const report = parsedReport('no-default-257');
    const masked = { ...report, target: { ...report.target, loadState: 'masked' } };
    expect(judgeContainerBoot(watchedBoot(masked)).cause).toBe('default.target is masked.');
  });

  it.each([
    [
      'systemd: error while loading shared libraries: libc.so.6: cannot open shared object file',
      /^Its init could not start: systemd: error while loading/,
    ],
    ['Freezing execution.', /^Its systemd gave up: Freezing/],
    [
      "rescuekit-watch.service: Unable to locate executable '/bin/sh'",
      /^Its shell, \/bin\/sh, cannot/,
    ],
    [
      'Queued start job for default target poweroff.target.',
      /^Its default target ends the system as soon as it has started\.$/,
    ],
    ['Powering off.', /^The system ended before it was up\.$/],
  ])('with nothing from inside tells it from the console: %s', (line, cause) => {
    const boot = { console: ['Attempted to remove disk file system under "/run/x"', line] };
    const proof = judgeContainerBoot(watchedBoot(null, boot));
    expect(proof.boots).toBe(false);
    expect(proof.cause).toMatch(cause);
    expect(proof.evidence).toEqual([line]);
  });

  it('says that it shuts down or restarts itself while it starts', () => {
    const report = { ...parsedReport('healthy-262'), system: 'stopping' };
    const stopping = judgeContainerBoot(watchedBoot(report));
    expect([stopping.boots, stopping.cause]).toEqual([
      false,
      'It shuts down while it starts; graphical.target does not last.',
    ]);
    const restarted = judgeContainerBoot(watchedBoot(null, { rebooted: true }));
    expect(restarted.cause).toBe('The system restarted itself before it was up.');
  });

  it('says that nothing was heard of it when the time is over', () => {
    const proof = judgeContainerBoot(watchedBoot(null, { timedOut: true }));
    expect(proof.cause).toBe('The system gave no sign of life within 20 s.');
  });
});

describe('a system that lacks what its boot needs', () => {
  const facts = {
    init: 'systemd',
    initPath: '/sbin/init',
    os: { id: 'debian', versionId: '12', prettyName: 'Debian' },
  } as const;

  it('is no proof of a boot, because nspawn would make the missing link by itself', () => {
    const proof = missingProof({ ...facts, missing: ['/lib64', '/tmp'] }, 'default.target');
    expect(proof).toMatchObject({ boots: false, method: 'container' });
    expect(proof?.cause).toBe('/lib64 is missing at the top of the system.');
  });

  it('is one without the name by which the kernel starts it, though nspawn finds systemd', () => {
    const lost = { ...facts, missing: [], initPath: '/usr/lib/systemd/systemd' } as const;
    expect(missingProof(lost, 'default.target')?.cause).toMatch(/no init that the kernel/);
    expect(missingProof({ ...lost, os: { ...facts.os, id: 'nixos' } }, 'x.target')).toBeNull();
  });

  it('is none that lacks only what is made at each boot', () => {
    expect(missingProof({ ...facts, missing: ['/tmp', '/var'] }, 'default.target')).toBeNull();
  });
});
