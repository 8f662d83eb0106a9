import { describe, expect, it } from 'vitest';
import { parsedReport, watchedBoot } from '../../fixtures/watched-boot.ts';
import { judgeContainerBoot } from '../verification/container/judge.ts';
import type { BootRun, Proof } from '../verification/proof.ts';
import { renderProof } from './proof-report.ts';

const view = { columns: 80, colour: false, unicode: true };

const rendered = (name: string, more: Partial<typeof view> = {}): string =>
  renderProof(judgeContainerBoot(watchedBoot(parsedReport(name))), '/dev/vdb', {
    ...view,
    ...more,
  });

describe('a proof in a container as a person reads it', () => {
  it('begins with the verdict and ends with what to do next', () => {
    const lines = rendered('healthy-262').trim().split('\n');
    expect(lines[0]).toBe('It boots: graphical.target was reached in 1.2 s in a container.');
    expect(lines.at(-1)).toBe('  From its own boot loader: rescuekit verify /dev/vdb --vm');
    expect(lines.filter((line) => /^ +\d+\.\d\d s {2}\S+$/.test(line))).toHaveLength(5);
  });

  it('shows a failed unit with its last words, and why others fail in any container', () => {
    const text = rendered('bad-network-252');
    expect(text).toMatch(/Failed units\n {4}networking\.service\n/);
    expect(text.replaceAll(/\s+/g, ' ')).toContain('interfaces:4: unknown or no address type');
    expect(text).toMatch(/Units that fail in any container\n/);
    expect(text).toMatch(/zramswap\.service: the rescue host's kernel/);
  });

  it('says what blocks the boot and points to the diagnosis', () => {
    const text = rendered('blocked-257');
    expect(text).toContain('It does not boot: slow.service blocks the boot');
    expect(text).toContain('Find out why: rescuekit diagnose /dev/vdb');
  });

  it('keeps to the columns, and to ASCII where nothing else can be shown', () => {
    for (const name of ['healthy-247', 'bad-network-252', 'blocked-257']) {
      const lines = rendered(name, { columns: 60, unicode: false }).split('\n');
      expect(lines.filter((line) => line.length > 60)).toEqual([]);
      expect(lines.join('')).toMatch(/^[ -~]*$/);
    }
  });
});

const run = (more: Partial<BootRun>): BootRun => ({
  start: 'disk',
  firmware: 'uefi',
  accelerator: 'tcg',
  passed: false,
  seconds: 40,
  stages: [{ stage: 'kernel', seconds: 12.34 }],
  stoppedAt: 'initramfs',
  cause: 'The root device did not appear.',
  notJudged: null,
  evidence: ['ALERT! UUID=1 does not exist.'],
  screen: null,
  ...more,
});

const ofMachine = (more: Partial<Proof>): Proof => ({
  ...judgeContainerBoot(watchedBoot(parsedReport('healthy-262'))),
  ...{ method: 'vm', evidence: [], blame: [], criticalChain: [], units: [] },
  ...more,
});

it('says what a machine was seen to reach, and not what it was to reach', () => {
  const target = 'graphical.target';
  const first = (stages: Proof['stages']): string | undefined =>
    renderProof(ofMachine({ target, stages, seconds: 30 }), '/dev/vdb', view)
      .trim()
      .split('\n')[0];
  expect(first([{ stage: 'login', seconds: 30 }])).toBe(
    'It boots: the login prompt was reached in 30.0 s in a virtual machine.',
  );
  expect(first([{ stage: 'default-target', seconds: 30 }])).toBe(
    'It boots: the default target was reached in 30.0 s in a virtual machine.',
  );
});

it('calls what was not judged neither good nor bad', () => {
  const notJudged = 'It was not through after 60 s: a longer --boot-timeout may show more.';
  const runs = [run({ cause: null, notJudged })];
  const text = renderProof(ofMachine({ boots: false, notJudged, runs }), '/dev/vdb', view);
  expect(text.replaceAll(/\s+/g, ' ')).toContain(`Not judged: ${notJudged}`);
  expect(text).toContain('not judged: It was not through');
  expect(text).not.toMatch(/does not boot|stopped|Find out why/);
});

it('shows each start of a virtual machine with its stages, and why it stopped', () => {
  const proof: Proof = {
    ...judgeContainerBoot(watchedBoot(parsedReport('healthy-262'))),
    ...{ boots: false, method: 'vm', cause: 'With UEFI: the root device did not appear.' },
    ...{ evidence: [], blame: [], criticalChain: [], units: [] },
    runs: [run({}), run({ firmware: 'bios', passed: true, cause: null, screen: '/x/screen.png' })],
  };
  const text = renderProof(proof, 'disk.img', view);
  expect(text).toContain('It does not boot: With UEFI: the root device did not appear.');
  expect(text).toMatch(
    /UEFI, its own boot loader, software emulation\n +Kernel +12\.3 s\n +stopped/,
  );
  expect(text).toContain('ALERT! UUID=1 does not exist.');
  expect(text).toMatch(
    /BIOS, its own boot loader, software emulation\n +Kernel +12\.3 s\n +passed/,
  );
  expect(text).toContain('Screen: /x/screen.png');
});
