import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRescueVm, type RescueVm } from '../../fixtures/rescue-vm.ts';
import {
  activationSettled,
  maskActivation,
  takeDownStacks,
  unmaskActivation,
} from '../../fixtures/stacks/activation.ts';
import {
  type AttachedStack,
  attachStack,
  describeStack,
} from '../../fixtures/stacks/describe-stack.ts';
import { runs, untouched } from '../../fixtures/stacks/prove-stack.ts';
import { inspectDocumentSchema } from '../commands/inspect.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';

let vm: RescueVm;
const machine = () => vm;

beforeAll(async () => {
  vm = await openRescueVm();
  await maskActivation(vm);
});
afterAll(() => vm.close());

describeStack('LVM on RAID1', 'lvm-raid1', machine, { killed: true });
describeStack('LVM on degraded RAID1', 'lvm-raid1', machine, {
  as: 'half',
  only: [2],
  options: ['--degraded'],
});

describe('a group on a disk of its own that fstab names', () => {
  let stack: AttachedStack;
  beforeAll(async () => {
    const blank = join(vm.directory, 'further.raw');
    await vm.host.run({ program: 'truncate', args: ['--size=48M', blank] });
    const disk = await vm.attach(blank, {});
    await vm.sh(`vgcreate -q -A n more-data ${disk} && lvcreate -q -y -A n -n srv -L 32M more-data &&
      mkfs.ext4 -q /dev/more-data/srv && udevadm settle && vgchange -q -A n -an more-data`);
    stack = await attachStack(vm, 'lvm-raid1', { as: 'named' });
    const line = '/dev/mapper/more--data-srv /srv ext4 defaults 0 2';
    await runs(stack, 'rescue', ['--skip-check', '--exec', `echo '${line}' >> /etc/fstab`]);
    await activationSettled(vm);
    await vm.remember();
  });
  afterAll(async () => {
    await stack.detach();
    await vm.detach('further');
  });

  it('is found and opened with the rest, with nothing written', async () => {
    const answer = await untouched(stack, () => runs(stack, 'inspect'));
    const [system] = answer.json(inspectDocumentSchema).systems;
    expect(system?.mounts.map(({ target, device }) => [target, device])).toContainEqual([
      '/srv',
      '/dev/mapper/more--data-srv',
    ]);
  });

  it('is mounted when the system is booted', async () => {
    const answer = await runs(stack, 'rescue', [
      '--exec',
      'touch /srv/a && findmnt -rno FSTYPE /srv',
    ]);
    expect(answer.json(rescueDocumentSchema).exec?.stdout).toBe('ext4\n');
    await vm.expectAsBefore();
  });
});

describe('a host whose udev activates everything by itself', () => {
  beforeAll(() => unmaskActivation(vm));
  afterAll(() => takeDownStacks(vm));

  describeStack('LVM on RAID1', 'lvm-raid1', machine, { as: 'active', brief: true, killed: true });
});
