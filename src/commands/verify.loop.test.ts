import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { debianTree, debianTrees } from '../../fixtures/base-tree.ts';
import { bootableTree, suites } from '../../fixtures/bootable/trees.ts';
import { changedTree } from '../../fixtures/changed-tree.ts';
import { cutOff, leanDisk } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { findContainerInit } from '../container/stop.ts';
import { waitUntil } from '../host/wait.ts';
import { verifyDocumentSchema } from './verify.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const verify = async (target: string, ...words: readonly string[]) => {
  const answer = await lab.kit(['verify', target, '--json', ...words]);
  return { ...answer, proof: answer.json(verifyDocumentSchema) };
};

/** A unit that multi-user.target wants, with its text. */
const withUnit = (name: string, text: string): string => `
  printf '${text.replaceAll('\n', '\\n')}' > "$1/etc/systemd/system/${name}"
  ln -s ../${name} "$1/etc/systemd/system/multi-user.target.wants/"`;

describe('a healthy system', () => {
  it.each(suites)('of %s boots, and no unit of it fails unexpectedly', async (suite) => {
    const { proof, exitCode } = await verify(await debianTree(lab.host, bootableTree({ suite })));
    expect(proof).toMatchObject({ boots: true, method: 'container', failedUnits: [] });
    expect(proof.target).toBe('graphical.target');
    expect(proof.blame.length).toBeGreaterThan(3);
    expect(proof.criticalChain[0]).toMatch(/^graphical\.target @/);
    expect(exitCode).toBe(0);
  });

  it('boots from a disk that stays as it is, with all its file systems', async () => {
    const disk = await leanDisk(lab, 'separate');
    await cutOff(lab, disk, '/var');
    const before = await lab.sum(disk.file);
    const { proof, exitCode } = await verify(disk.file);
    expect(proof).toMatchObject({ boots: true, failedUnits: [], notMounted: [] });
    expect(proof.checks.map(({ outcome }) => outcome)).toContain('damaged');
    expect([exitCode, await lab.sum(disk.file)]).toEqual([0, before]);
  });

  it('is told of in words, with what a container cannot see', async () => {
    const tree = await debianTree(lab.host, debianTrees.small);
    const { stdout } = await lab.kit(['verify', tree, '--target', 'multi-user.target']);
    expect(stdout).toMatch(/It boots: multi-user\.target was reached in \d+\.\d s in a container/);
    expect(stdout).toContain('Slowest units');
    expect(stdout).toMatch(/says nothing of boot\s+loader, kernel, initramfs/);
  });
});

describe('a system at fault', () => {
  it('boots with a unit that fails, which is named with its last journal lines', async () => {
    const unit = '[Service]\nType=oneshot\nExecStart=/bin/sh -c "echo no such table >&2; exit 3"\n';
    const { proof, exitCode } = await verify(
      await changedTree(lab, withUnit('shop.service', unit)),
    );
    expect([proof.boots, exitCode, proof.failedUnits]).toEqual([true, 0, ['shop.service']]);
    expect(proof.units[0]?.journal.join('\n')).toContain('no such table');
  });

  it('does not boot when a unit blocks it, and the unit is named within the time limit', async () => {
    const unit = '[Unit]\nBefore=multi-user.target\n[Service]\nType=oneshot\nExecStart=sleep 999\n';
    const tree = await changedTree(lab, withUnit('wait.service', unit));
    const { proof, exitCode } = await verify(tree, '--boot-timeout', '2');
    expect([proof.boots, exitCode]).toEqual([false, 3]);
    expect(proof.cause).toMatch(/^wait\.service blocks the boot: it was still starting after 2 s/);
    expect(proof.evidence.join('\n')).toContain('graphical.target start waiting');
    expect(proof.seconds).toBeLessThan(20);
  });

  it('does not boot with a default target that is a link to nothing', async () => {
    const link = 'ln -sfn /lib/systemd/system/no.target "$1/etc/systemd/system/default.target"';
    const { proof, exitCode } = await verify(await changedTree(lab, link));
    expect([proof.boots, exitCode]).toEqual([false, 3]);
    expect(proof.cause).toBe('default.target is not there, or it is a link to nothing.');
  });

  it('does not boot when nspawn would make the link that it lacks', async () => {
    const tree = await changedTree(lab, 'rm "$1/lib64"');
    const { proof, exitCode } = await verify(tree);
    expect([proof.boots, exitCode]).toEqual([false, 3]);
    expect(proof.cause).toMatch(/^\/lib64.* missing/);
  });

  it('does not boot without its C library, and the loader says so', async () => {
    const { proof } = await verify(await changedTree(lab, 'rm "$1"/lib/*-linux-gnu/libc.so.6'));
    expect([proof.boots, proof.failedUnits]).toEqual([false, []]);
    expect(proof.cause).toMatch(/^Its init could not start: .*libc\.so\.6/);
  });

  it('on a disk goes into its emergency mode because of one unit, and the disk stays as it is', async () => {
    const extraFstab = ['tmpfs /srv tmpfs size=much 0 0'];
    const { file } = await leanDisk(lab, 'whole', { name: 'emergency', extraFstab });
    const before = await lab.sum(file);
    const { proof, exitCode } = await verify(file);
    expect([proof.boots, exitCode, proof.failedUnits]).toEqual([false, 3, ['srv.mount']]);
    expect(proof.cause).toBe('srv.mount failed, and the system went into its emergency mode.');
    const { stdout } = await lab.kit(['verify', file, '--skip-check']);
    expect(stdout).toMatch(/It does not boot: srv\.mount failed/);
    expect(stdout).toContain(`rescuekit diagnose ${file}`);
    expect(await lab.sum(file)).toBe(before);
  });
});

describe('what a container cannot prove', () => {
  it.each(['sysvinit', 'busybox'] as const)(
    'is refused for %s, and called no fault',
    async (name) => {
      const tree = await debianTree(lab.host, debianTrees[name]);
      const answer = await lab.kit(['verify', tree, '--json']);
      expect([answer.exitCode, answer.error().code]).toEqual([1, 'NOT_PROVABLE']);
    },
  );
});

describe('wrong use', () => {
  it.each([
    [['--target', 'no-such.target'], 'no unit no-such.target'],
    [['--boot-timeout', '0'], '--boot-timeout'],
  ])('%j is refused', async (words, text) => {
    const tree = await debianTree(lab.host, debianTrees.small);
    const answer = await lab.kit(['verify', tree, '--json', ...words]);
    expect([answer.exitCode, answer.error().message]).toEqual([2, expect.stringContaining(text)]);
  });
});

it('shows the commands with --dry-run and boots nothing', async () => {
  const { file } = await leanDisk(lab, 'whole');
  const { stdout, exitCode } = await lab.kit(['verify', file, '--dry-run']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/mount .*overlay/);
  expect(stdout).toMatch(/systemd-nspawn .*--private-network --boot -- --unit=default\.target/);
});

it('takes everything down when it is interrupted while it watches', async () => {
  const unit = '[Unit]\nBefore=multi-user.target\n[Service]\nType=oneshot\nExecStart=sleep 999\n';
  const tree = await changedTree(lab, withUnit('wait.service', unit));
  const before = await lab.sessions();
  const running = lab.start(['verify', tree]);
  const isInside = async () => {
    const [session] = (await lab.sessions()).filter((id) => !before.includes(id));
    return session !== undefined && (await findContainerInit(lab.host, session)) !== null;
  };
  expect(await waitUntil(isInside, 20_000)).toBe(true);
  process.kill(running.pid, 'SIGINT');
  expect((await running.ended).exitCode).toBe(130);
});

it.each([
  [['--bus', 'nvme'], 'go with --vm'],
  [['--vm', '--target', 'multi-user.target'], 'goes with the container'],
  [['--vm', '--secure-boot', '--firmware', 'bios'], 'a matter of UEFI'],
  [['--vm'], 'no disk of its own'],
])('%j is no use of a directory', async (words, text) => {
  const tree = await debianTree(lab.host, debianTrees.small);
  const answer = await lab.kit(['verify', tree, '--json', ...words]);
  expect([answer.exitCode, answer.error().message]).toEqual([2, expect.stringContaining(text)]);
});
