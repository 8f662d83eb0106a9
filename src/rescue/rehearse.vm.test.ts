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
import { repairDocumentSchema } from '../commands/repair.ts';

let vm: RescueVm;
beforeAll(async () => {
  vm = await openRescueVm();
});
afterAll(() => vm.close());

/** What keeps the system from booting: its fstab waits for a disk that is gone. */
const goneDisk = 'UUID=3f1d9a52-0c67-4f0e-9a44-2b6f6d1c0a77 /srv/data ext4 defaults 0 2';

/** Writes into the volume of the stack, which is active. */
const breakFstab = `mount /dev/vg0/root /mnt && echo '${goneDisk}' >> /mnt/etc/fstab && umount /mnt`;

/** md notes in its superblocks that all is written, a moment after the last write (md.rst, safe mode). */
const marksClean = 'until grep -qx clean /sys/block/md*/md/array_state; do sleep 0.1; done';

/** The same where nobody activates it. */
const breakInactive = (devices: readonly string[]): string => `
mdadm --quiet --assemble /dev/md/system ${devices.join(' ')} && udevadm settle &&
vgchange --quiet --activate y vg0 > /dev/null && ${breakFstab} &&
vgchange --quiet --activate n vg0 > /dev/null && mdadm --quiet --stop /dev/md/system && udevadm settle`;

/** Rehearses the repair. Boots of a layer are watched in the tests on this machine, ten times as fast. */
const rehearse = async (stack: AttachedStack) => {
  const words = ['--rehearse', '--only', 'fstab.nofail', '--proof', 'none', '--on-success', 'keep'];
  const answer = await stack.vm.kit(['repair', stack.target, ...words, '--json']);
  // The small system has no kernel, and is not healthy with a good fstab either.
  expect([0, 3], answer.stdout + answer.stderr).toContain(answer.exitCode);
  const document = answer.json(repairDocumentSchema);
  expect(document.applied.map(({ id }) => id)).toEqual(['fstab.nofail']);
  expect(document.rehearsal).toMatchObject({ means: 'snapshot', phase: 'kept' });
  const fstab = document.rehearsal?.files?.find(({ path }) => path === '/etc/fstab');
  expect(fstab?.diff).toMatch(/\n-UUID=3f1d.* defaults .*\n\+UUID=3f1d.*nofail/);
  return document;
};

const decide = async (session: string, ...words: readonly string[]) => {
  const answer = await vm.kit(['rehearse', session, ...words, '--json']);
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(0);
  return answer.json(rehearseDocumentSchema).rehearsal?.phase;
};

const undo = async (session: string, ...words: readonly string[]): Promise<void> => {
  const undone = await vm.kit(['undo', session, ...words]);
  expect(undone.exitCode, undone.stdout + undone.stderr).toBe(0);
};

/**
 * Starts a commit and kills it when it has begun to write. It never comes to its end by itself: the
 * program that stands between the last byte and the look at what was written does not go on.
 */
const killedCommit = (session: string): string => `
gate=$(mktemp --directory)
cat > $gate/blockdev <<'END'
#!/bin/sh
case "$*" in *--flushbufs*) echo $$ > "$0.pid"; exec sleep 1000 ;; esac
exec /usr/sbin/blockdev "$@"
END
chmod +x $gate/blockdev
PATH=$gate:$PATH rescuekit rehearse ${session} --commit > $gate/commit 2>&1 < /dev/null &
job=$!
until grep -q '"committing"' /var/lib/rescuekit/sessions/${session}/rehearsal/rehearsal.json; do
  kill -0 $job 2>/dev/null || { cat $gate/commit; exit 9; }
done
kill -KILL $job
wait $job
[ ! -e $gate/blockdev.pid ] || kill -KILL $(cat $gate/blockdev.pid)
rm -r $gate
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
  let committed: readonly string[];
  let session = '';
  beforeAll(async () => {
    await maskActivation(vm);
    stack = await attachStack(vm, 'lvm-raid1');
    await vm.sh(breakInactive(stack.devices));
    before = await vm.sums(stack.files);
    await vm.remember();
  });
  afterAll(() => stack.detach());

  it('is written by nothing while its repair is rehearsed, and is told what would be', async () => {
    const { rehearsal, ...document } = await rehearse(stack);
    session = document.session;
    expect(rehearsal?.disks.map(({ disk }) => disk)).toEqual(stack.devices);
    for (const disk of rehearsal?.disks ?? []) expect(disk.changedBytes).toBeGreaterThan(4096);
    expect(await vm.sums(stack.files)).toEqual(before);
    await vm.expectAsBefore();
  });

  it('has the whole repair on both halves when it is committed', async () => {
    expect(await decide(session, '--commit')).toBe('committed');
    await vm.expectAsBefore();
    committed = await vm.sums(stack.files);
    expect(committed).not.toEqual(before);
    await expectSameHalves(stack.files);
    const { root } = (await runs(stack, 'mount', ['--read-only'])).json(mountDocumentSchema);
    const seen = await vm.sh(`grep -c 3f1d9a52.*nofail ${root}/etc/fstab &&
      mdadm --examine ${stack.devices.join(' ')} | grep -c 'State : clean'`);
    expect(seen.trim()).toBe('1\n2');
    await vm.kit(['cleanup']);
    expect(await vm.sums(stack.files)).toEqual(committed);
  });

  it('is to the byte as it was when the commit is taken back', async () => {
    await undo(session);
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

  it('comes to the same bytes when the killed commit is resumed', async () => {
    expect(await decide(session, '--commit')).toBe('committed');
    expect(await vm.sums(stack.files)).toEqual(committed);
    await vm.expectAsBefore();
  });

  it('is dropped without a trace when that is taken back, too, piece by piece', async () => {
    await undo(session, '--force');
    expect(await decide(session, '--drop')).toBe('dropped');
    expect(await vm.sums(stack.files)).toEqual(before);
    const kept = `ls /var/lib/rescuekit/sessions/${session}/rehearsal`;
    expect((await vm.sh(kept)).trim()).toBe('rehearsal.json');
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
    await vm.sh(`${breakFstab} && udevadm settle && ${marksClean}`);
  });
  afterAll(() => stack.detach());

  it('is dropped without a trace, and active again as it was', async () => {
    const before = await vm.sums(stack.files);
    const { session } = await rehearse(stack);
    expect(await decide(session, '--drop')).toBe('dropped');
    await activationSettled(vm);
    expect(await vm.sums(stack.files)).toEqual(before);
    await vm.expectAsBefore();
  });
});
