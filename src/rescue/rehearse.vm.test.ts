import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRescueVm, type RescueVm } from '../../fixtures/rescue-vm.ts';
import { maskActivation } from '../../fixtures/stacks/activation.ts';
import { type AttachedStack, attachStack } from '../../fixtures/stacks/describe-stack.ts';

let vm: RescueVm;
let stack: AttachedStack;
beforeAll(async () => {
  vm = await openRescueVm();
  await maskActivation(vm);
  stack = await attachStack(vm, 'lvm-raid1');
});
afterAll(async () => {
  await stack?.detach();
  await vm.close();
});
describe('scratch', () => {
  it('works', async () => {
    const before = await vm.sums(stack.files);
    const t = Date.now();
    const a = await vm.run(
      `rescuekit rescue ${stack.target} --rehearse --on-success keep --verbose --exec 'echo tried > /etc/tried; sed -i s/web-3/web-4/ /etc/hostname'`,
    );
    console.log(a.exitCode, a.stdout, a.stderr, Date.now() - t);
    console.log(
      (
        await vm.run(
          'rescuekit status; ls -ls /var/lib/rescuekit/sessions/*/rehearsal; lsblk; dmsetup ls; cat /proc/mdstat',
        )
      ).stdout,
    );
    expect(await vm.sums(stack.files)).toEqual(before);
    await vm.expectAsBefore();
    const id = /rescuekit rehearse (\w+)/.exec(a.stderr)?.[1];
    console.log((await vm.run(`rescuekit rehearse ${id}`)).stdout);
    const c = await vm.run(`rescuekit rehearse ${id} --commit --verbose`);
    console.log(c.exitCode, c.stdout, c.stderr);
    await vm.expectAsBefore();
    const b = await vm.run(
      `rescuekit rescue ${stack.target} --exec 'cat /etc/tried /etc/hostname'`,
    );
    console.log(b.exitCode, b.stdout, b.stderr);
  });
});
