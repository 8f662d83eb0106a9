import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRescueVm, type RescueVm } from '../../../fixtures/rescue-vm.ts';
import { maskActivation, takeDownStacks } from '../../../fixtures/stacks/activation.ts';
import {
  type AttachedStack,
  attachStack,
  describeStack,
} from '../../../fixtures/stacks/describe-stack.ts';
import {
  proveCleanup,
  proveInspect,
  proveRescue,
  runs,
  untouched,
} from '../../../fixtures/stacks/prove-stack.ts';
import { inspectDocumentSchema } from '../../commands/inspect.ts';

const metadataOf = (vm: RescueVm, device: string) =>
  vm.sh(`vgs --noheadings --devices ${device} --foreign --options name,uuid,exported,systemid,seqno
pvs --noheadings --devices ${device} --foreign --options uuid`);

describe('a machine whose udev activates no groups', () => {
  let vm: RescueVm;
  beforeAll(async () => {
    vm = await openRescueVm();
    await maskActivation(vm);
  });
  afterAll(() => vm.close());
  const machine = () => vm;

  describeStack('XFS on LVM with /usr, /var and /home of their own', 'lvm-xfs', machine);
  describeStack('a thin volume', 'thin', machine, { killed: true });
  describeStack('a cached volume', 'cached', machine);
  describeStack('a group over three disks', 'lvm-three', machine);
  describeStack('a volume with a snapshot of the old kind', 'snapshot', machine);
  describeStack('an exported group', 'exported', machine);
  describeStack('a group of another machine', 'foreign', machine);
  describeStack('a mirror with a missing disk', 'lvm-mirror', machine, {
    only: [2],
    options: ['--degraded'],
  });

  describe('a mirror with a missing disk, without consent', () => {
    let stack: AttachedStack;
    beforeAll(async () => {
      stack = await attachStack(vm, 'lvm-mirror', { only: [1] });
    });
    afterAll(() => stack.detach());
    it('stays closed, and the option is named', async () => {
      const answer = await untouched(stack, () => runs(stack, 'inspect', [], 2));
      expect(answer.stdout).toContain('--degraded');
    });
  });

  describe('a clone of a disk that this machine uses', () => {
    let own: AttachedStack;
    let clone: AttachedStack;
    beforeAll(async () => {
      own = await attachStack(vm, 'lvm-plain', { as: 'own' });
      await vm.sh(`vgchange --quiet --activate y --devices ${own.target} vg0
mkdir -p /srv/own && mount /dev/vg0/root /srv/own && touch /srv/own/mark`);
      clone = await attachStack(vm, 'lvm-plain', { as: 'clone' });
    });
    afterAll(async () => {
      await clone.detach().catch(() => {});
      await vm.sh('umount /srv/own; rmdir /srv/own');
      await own.detach();
    });

    it('is looked into under a name of its own, with nothing written', async () => {
      const system = await proveInspect(clone);
      expect(system.root).toMatch(/^\/dev\/mapper\/vg0_rescuekit_[0-9a-f]{4}-root$/);
    });
    it('is written to while its group keeps name and ids, and the own one is left alone', async () => {
      const before = await metadataOf(vm, clone.target);
      await proveRescue(clone, 'test ! -e /mark && echo rescued > /etc/rescued');
      expect(await metadataOf(vm, clone.target)).toBe(before);
      expect(await vm.sh('ls /srv/own/mark; ls /srv/own/etc/rescued || true')).toBe(
        '/srv/own/mark',
      );
    });
    it('is taken down by cleanup after kill -9', async () => {
      await proveCleanup(clone);
    });
    it('refuses the own one', async () => {
      await runs(own, 'inspect', [], 4);
    });
  });

  describe('two clones of one disk', () => {
    let one: AttachedStack;
    let two: AttachedStack;
    beforeAll(async () => {
      one = await attachStack(vm, 'lvm-plain', { as: 'one' });
      two = await attachStack(vm, 'lvm-plain', { as: 'two' });
    });
    afterAll(async () => {
      await takeDownStacks(vm);
      await one.detach();
      await two.detach();
    });
    it('are told apart: only the named one is opened', async () => {
      await proveRescue(two, 'echo two > /etc/mark');
      const system = await proveInspect(one);
      expect(system.root).toBe('/dev/mapper/vg0-root');
      const words = ['--exec', 'cat /etc/mark; true'];
      const answer = await runs(one, 'rescue', words);
      expect(answer.stdout).not.toContain('two');
    });
    it('are both shown when both are named', async () => {
      const both = { ...one, options: ['--with', two.target] };
      const answer = await untouched(both, () => runs(both, 'inspect'));
      expect(answer.json(inspectDocumentSchema).systems.map(({ root }) => root)).toEqual([
        '/dev/mapper/vg0-root',
        expect.stringMatching(/^\/dev\/mapper\/vg0_rescuekit_/),
      ]);
    });
  });

  describe('a disk whose group has the name of a group of this machine', () => {
    let own: AttachedStack;
    let other: AttachedStack;
    beforeAll(async () => {
      own = await attachStack(vm, 'lvm-plain', { as: 'own' });
      await vm.sh(`vgchange --quiet --activate y --devices ${own.target} vg0
mkdir -p /srv/own && mount /dev/vg0/root /srv/own`);
      other = await attachStack(vm, 'thin', {});
    });
    afterAll(async () => {
      await other.detach().catch(() => {});
      await vm.sh('umount /srv/own; rmdir /srv/own');
      await own.detach();
    });
    it('is looked into and booted beside it', async () => {
      await proveInspect(other);
      await proveRescue(other);
    });
  });

  describe('mappings of a disk that was pulled', () => {
    let gone: AttachedStack;
    let back: AttachedStack;
    beforeAll(async () => {
      gone = await attachStack(vm, 'lvm-plain', { as: 'gone' });
      await vm.sh(`vgchange --quiet --activate y --devices ${gone.target} vg0`);
      for (const file of gone.files) {
        await vm.detach(file.slice(file.lastIndexOf('/') + 1, -'.raw'.length));
      }
      back = await attachStack(vm, 'lvm-plain', { as: 'back' });
    });
    afterAll(async () => {
      await vm.sh('dmsetup remove vg0-root');
      await back.detach();
    });
    afterEach(async () => {
      expect(await vm.sh('dmsetup info --columns --noheadings --options name')).toBe('vg0-root');
    });
    it('are kept apart from the disk when it is back', async () => {
      const system = await proveInspect(back);
      expect(system.root).toMatch(/vg0_rescuekit_/);
      await proveRescue(back);
    });
    it('are named by list, with the command that removes them', async () => {
      const { stdout } = await vm.kit(['list']);
      // Wrapped at the width of the terminal.
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain('dmsetup remove vg0-root');
    });
  });
});

describe('a machine whose udev activates groups by itself', () => {
  let vm: RescueVm;
  beforeAll(async () => {
    vm = await openRescueVm();
  });
  afterAll(() => vm.close());
  const machine = () => vm;

  describeStack('a group that udev has activated', 'lvm-xfs', machine, {
    brief: true,
  });

  describe('a clone of a disk whose group udev has activated', () => {
    let one: AttachedStack;
    let two: AttachedStack;
    beforeAll(async () => {
      one = await attachStack(vm, 'thin', { as: 'one' });
      two = await attachStack(vm, 'thin', { as: 'two' });
    });
    afterAll(async () => {
      await takeDownStacks(vm);
      await one.detach();
      await two.detach();
    });
    it('is looked into, booted and taken down beside the other', async () => {
      const system = await proveInspect(two);
      expect(system.root).toMatch(/vg0_rescuekit_/);
      await proveRescue(two);
      expect(await vm.sh('systemctl is-system-running')).toBe('running');
    });
  });
});
