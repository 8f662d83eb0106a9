import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRescueVm, type RescueVm } from '../../../fixtures/rescue-vm.ts';
import {
  giveSecrets,
  guestKeyFile,
  guestPassphraseFile,
  maskActivation,
} from '../../../fixtures/stacks/activation.ts';
import {
  type AttachedStack,
  attachStack,
  describeStack,
  guestHeaderFile,
  passphraseOptions,
} from '../../../fixtures/stacks/describe-stack.ts';
import { proveRescue, runs, untouched } from '../../../fixtures/stacks/prove-stack.ts';
import { errorDocumentSchema } from '../../commands/error-document.ts';

let vm: RescueVm;

beforeAll(async () => {
  vm = await openRescueVm();
  await maskActivation(vm);
  await giveSecrets(vm);
});
afterAll(() => vm.close());

const withHeader = [...passphraseOptions, '--luks-header', guestHeaderFile];

describeStack('a LUKS2 volume with a detached header', 'luks-header', () => vm, {
  options: withHeader,
  readOnly: true,
});
describeStack('LVM on LUKS2', 'luks-lvm', () => vm, {
  options: passphraseOptions,
});
describeStack('LUKS1 on LVM', 'lvm-luks', () => vm, { options: passphraseOptions });
describeStack('LUKS2 on RAID1 under LVM', 'raid-luks-lvm', () => vm, {
  options: passphraseOptions,
  killed: true,
});

describe('an encrypted system', () => {
  let stack: AttachedStack;
  beforeAll(async () => {
    stack = await attachStack(vm, 'luks-lvm', { as: 'locked' });
  });
  afterAll(() => stack.detach());

  const refused = async (options: readonly string[]) => {
    const answer = await untouched(stack, () => runs(stack, 'inspect', options, 2));
    return answer.json(errorDocumentSchema).error;
  };

  it('stays closed without a passphrase, and the error names the option', async () => {
    const error = await refused([]);
    expect(error.code).toBe('ENCRYPTED');
    expect(error.hint).toContain('--passphrase-file');
  });

  it('stays closed with a wrong passphrase', async () => {
    await vm.sh('printf wrong > /root/wrong');
    const error = await refused(['--passphrase-file', '/root/wrong']);
    expect(error.code).toBe('WRONG_PASSPHRASE');
  });

  it('is opened by a passphrase on standard input', async () => {
    const words = ['inspect', stack.target, '--passphrase-file', '-', '--json'];
    const answer = await untouched(stack, () => vm.kit(words, { input: 'open sesame\n' }));
    expect(answer.exitCode, answer.stderr).toBe(0);
  });

  it('shows its passphrase nowhere', async () => {
    await runs(stack, 'inspect', [...passphraseOptions, '--verbose']);
    const found = await vm.run(
      "grep --recursive --files-with-matches 'open sesame' /var/lib/rescuekit",
    );
    expect(found.stdout).toBe('');
  });

  it('has the name of its crypttab inside, opened by a key file', async () => {
    const keyed = { ...stack, options: ['--key-file', guestKeyFile] };
    const names = await proveRescue(keyed, 'cat /sys/block/dm-*/dm/name | sort');
    expect(names.split('\n')).toContain('web3_crypt');
  });

  it('keeps the name of the session where the other one is taken', async () => {
    await vm.sh('dmsetup create web3_crypt --table "0 8 zero"');
    await vm.remember();
    const keyed = { ...stack, options: passphraseOptions };
    const names = await proveRescue(keyed, 'cat /sys/block/dm-*/dm/name | sort');
    expect(names).toMatch(/^rescuekit-[0-9a-f]{4}-vd/m);
    await vm.sh('dmsetup remove --retry web3_crypt');
    await vm.remember();
  });

  it('is left as it was when rescuekit is killed while a key is derived', async () => {
    const start = `rescuekit mount ${stack.target} --passphrase-file ${guestPassphraseFile}`;
    // Killed while cryptsetup is at work.
    await vm.sh(`${start} >/dev/null 2>&1 </dev/null & job=$!
until pgrep --full 'cryptsetup open' >/dev/null; do kill -0 $job || exit 9; done
kill -KILL $job; wait $job; true`);
    const cleanup = await vm.kit(['cleanup']);
    expect(cleanup.exitCode, cleanup.stderr).toBe(0);
    await vm.expectAsBefore();
  });

  it('names who holds it when it cannot be closed', async () => {
    await runs(stack, 'mount', passphraseOptions);
    await vm.sh(
      'cd $(find /run/rescuekit/*/root -maxdepth 0) && (sleep 4322 >/dev/null 2>&1 </dev/null &)',
    );
    const busy = await vm.kit(['cleanup']);
    expect(busy.exitCode).toBe(5);
    expect(busy.stdout + busy.stderr).toContain('sleep');
    await vm.sh("pkill --full --exact 'sleep 4322'");
    expect((await vm.kit(['cleanup'])).exitCode).toBe(0);
    await vm.expectAsBefore();
  });

  it('is not mended in its header while it is only looked at', async () => {
    // The second copy of a LUKS2 header: cryptsetup would write it anew from the first one.
    const partition = `${stack.target}1`;
    await vm.sh(`dd if=/dev/zero of=${partition} bs=512 seek=32 count=1 conv=fsync status=none`);
    await untouched(stack, () => runs(stack, 'inspect', passphraseOptions));
  });
});
