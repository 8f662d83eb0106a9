import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRescueVm, type RescueVm } from '../../fixtures/rescue-vm.ts';
import {
  activationSettled,
  maskActivation,
  unmaskActivation,
} from '../../fixtures/stacks/activation.ts';
import { type AttachedStack, attachStack } from '../../fixtures/stacks/describe-stack.ts';
import { runs } from '../../fixtures/stacks/prove-stack.ts';
import { mountDocumentSchema } from '../commands/mount.ts';
import { rehearseDocumentSchema } from '../commands/rehearse.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';

let vm: RescueVm;
beforeAll(async () => {
  vm = await openRescueVm();
});
afterAll(() => vm.close());

const rehearse = async (stack: AttachedStack, exec: string, onSuccess: string) => {
  // Boots of a layer are watched in the tests on this machine, which take a tenth of the time.
  const words = ['--rehearse', '--proof', 'none', '--on-success', onSuccess, '--as-pid2', exec];
  return (await runs(stack, 'rescue', words)).json(rescueDocumentSchema);
};

/** Starts a commit and kills it when it has begun to write. */
const killedCommit = (session: string): string => `
rescuekit rehearse ${session} --commit > /tmp/commit 2>&1 < /dev/null &
job=$!
until grep -q '"committing"' /var/lib/rescuekit/sessions/${session}/rehearsal/rehearsal.json; do
  kill -0 $job 2>/dev/null || { cat /tmp/commit; exit 9; }
done
kill -KILL $job
wait $job
rm /tmp/commit
grep -q '"committing"' /var/lib/rescuekit/sessions/${session}/rehearsal/rehearsal.json`;

/** Halves of a mirror differ in the superblock of the array only: 4 KiB, and that at one place. */
const expectSameHalves = async ([one = '', other = '']: readonly string[]): Promise<void> => {
  const [a, b] = await Promise.all([readFile(one), readFile(other)]);
  const blocks = a.length / 4096;
  const differing = Array.from({ length: blocks }, (_, block) => block * 4096).filter(
    (at) => a.compare(b, at, at + 4096, at, at + 4096) !== 0,
  );
  expect(differing.length).toBeLessThanOrEqual(1);
};

describe('LVM on RAID1 on a host that activates nothing', () => {
  let stack: AttachedStack;
  let before: readonly string[];
  let session = '';
  const tried =
    'head -c 12M /dev/urandom > /root/big; sha256sum < /root/big > /root/sum; echo web-4 > /etc/hostname';
  beforeAll(async () => {
    await maskActivation(vm);
    stack = await attachStack(vm, 'lvm-raid1');
    before = await vm.sums(stack.files);
  });
  afterAll(() => stack.detach());

  it('is written by nothing while it is rehearsed, and is told what would be', async () => {
    const { rehearsal, cleanedUp, ...document } = await rehearse(stack, tried, 'keep');
    session = document.session;
    expect(cleanedUp).toBe(true);
    expect(rehearsal).toMatchObject({ means: 'snapshot', phase: 'kept', succeeded: true });
    expect(rehearsal?.disks.map(({ disk }) => disk)).toEqual(stack.devices);
    for (const disk of rehearsal?.disks ?? []) expect(disk.changedBytes).toBeGreaterThan(12e6);
    const files = new Map(rehearsal?.files?.map((change) => [change.path, change]));
    expect(files.get('/root/big')).toMatchObject({ change: 'added', bytesAfter: 12 * 2 ** 20 });
    expect(files.get('/etc/hostname')?.diff).toContain('-web-3\n+web-4\n');
    expect(await vm.sums(stack.files)).toEqual(before);
    await vm.expectAsBefore();
  });

  it('is left to nobody else when a commit is killed in its midst', async () => {
    const killed = await vm.run(killedCommit(session));
    expect(killed.exitCode, killed.stdout + killed.stderr).toBe(0);
    const refused = await vm.kit(['inspect', stack.target, '--json']);
    expect(refused.exitCode).toBe(4);
    expect(refused.error()).toMatchObject({
      code: 'HALF_WRITTEN',
      hint: expect.stringContaining(`rescuekit undo ${session}`),
    });
    const cleanup = await vm.kit(['cleanup']);
    expect(cleanup.exitCode, cleanup.stdout).toBe(5);
    expect(cleanup.stdout).toContain(`rescuekit rehearse ${session} --commit`);
  });

  it('has the whole change on both halves when the commit was resumed', async () => {
    const resumed = await vm.kit(['rehearse', session, '--commit', '--json']);
    expect(resumed.exitCode, resumed.stdout + resumed.stderr).toBe(0);
    expect(resumed.json(rehearseDocumentSchema).rehearsal?.phase).toBe('committed');
    await vm.expectAsBefore();
    const committed = await vm.sums(stack.files);
    expect(committed).not.toEqual(before);
    await expectSameHalves(stack.files);
    const { root } = (await runs(stack, 'mount', ['--read-only'])).json(mountDocumentSchema);
    const seen = await vm.sh(`cd ${root} && cat etc/hostname &&
      [ "$(sha256sum < root/big)" = "$(cat root/sum)" ] && cd / &&
      mdadm --examine ${stack.devices.join(' ')} | grep -c 'State : clean'`);
    expect(seen.trim()).toBe('web-4\n2');
    await vm.kit(['cleanup']);
    expect(await vm.sums(stack.files)).toEqual(committed);
  });

  it('is to the byte as it was when the commit is taken back', async () => {
    const undone = await vm.kit(['undo', session]);
    expect(undone.exitCode, undone.stdout + undone.stderr).toBe(0);
    expect(await vm.sums(stack.files)).toEqual(before);
    await vm.expectAsBefore();
  });

  it('is as it was when a layer becomes full, and the work is stopped', async () => {
    await vm.sh('mkdir /root/small && mount -t tmpfs -o size=68M tmpfs /root/small');
    await vm.remember();
    const exec = 'head -c 22M /dev/urandom > /root/big; sync; sleep 1000';
    const answer = await vm.kit([
      ...['rescue', stack.target, '--rehearse', '--skip-check', '--as-pid2', exec],
      ...['--state-dir', '/root/small', '--json'],
    ]);
    expect(answer.exitCode, answer.stderr).toBe(1);
    expect(answer.error().code).toBe('LAYER_FULL');
    expect(await vm.sums(stack.files)).toEqual(before);
    await vm.expectAsBefore();
    await vm.sh('umount /root/small && rmdir /root/small');
  });
});

describe('LVM on RAID1 on a host whose udev activates everything', () => {
  let stack: AttachedStack;
  beforeAll(async () => {
    await unmaskActivation(vm);
    stack = await attachStack(vm, 'lvm-raid1', { as: 'active' });
  });
  afterAll(() => stack.detach());

  it('is dropped without a trace, and active again as it was', async () => {
    const before = await vm.sums(stack.files);
    const { rehearsal } = await rehearse(stack, 'echo tried > /etc/tried', 'drop');
    expect(rehearsal).toMatchObject({ means: 'snapshot', phase: 'dropped', succeeded: true });
    await activationSettled(vm);
    expect(await vm.sums(stack.files)).toEqual(before);
    await vm.expectAsBefore();
  });
});
