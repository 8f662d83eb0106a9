import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BootableDisks, bootableCopy } from '../../../fixtures/bootable/bootable-image.ts';
import { removeFromDisk } from '../../../fixtures/bootable/faults/ext-files.ts';
import { healthySystems } from '../../../fixtures/bootable/healthy-systems.ts';
import { vmRequest } from '../../../fixtures/bootable/vm-request.ts';
import { createHost } from '../../host/host.ts';
import { processesWithEnvironment } from '../../host/processes.ts';
import { sessionVariable } from '../../host/session-mark.ts';
import { vmBuses } from '../proof.ts';
import { proveInVm } from './prove-in-vm.ts';
import { stopVm } from './stop-vm.ts';
import type { VmRequest } from './vm-request.ts';

const session = `vm-${process.pid}`;
const host = createHost({ env: { [sessionVariable]: session } });
const spec = healthySystems['bookworm, GRUB on BIOS'];

let directory: string;
let disks: BootableDisks;

// Without its menu GRUB stands at its prompt after three seconds: far enough to have read the disk.
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-vm-'));
  disks = await bootableCopy(host, spec, directory);
  await removeFromDisk({ host, disks, directory }, '/boot/grub/grub.cfg');
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const request = async (more: Partial<VmRequest> = {}): Promise<VmRequest> => ({
  ...(await vmRequest(host, spec, disks, directory)),
  ...more,
});

const expectNothingLeft = async (): Promise<void> => {
  expect(await processesWithEnvironment(host.files, `${sessionVariable}=${session}`)).toEqual([]);
  expect(await readdir(join(directory, 'scratch'))).toEqual([]);
};

test.each(vmBuses)('the boot loader is read from a disk on the bus %s', async (bus) => {
  const proof = await proveInVm(host, await request({ bus }));
  expect(proof, proof.evidence.join('\n')).toMatchObject({
    ...{ boots: false, stoppedAt: 'boot-loader', firmware: 'bios' },
    cause: 'GRUB found no configuration (grub.cfg) and opened its prompt.',
  });
  await expectNothingLeft();
});

/** The kernel sets these times with every write. */
const writtenAt = async (file: string): Promise<readonly bigint[]> => {
  const { mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  return [mtimeNs, ctimeNs];
};

test('a write-protected block device is enough, and nothing is written to it', async () => {
  const [{ file }] = disks;
  const before = await writtenAt(file);
  const args = ['--find', '--show', '--read-only', file];
  const device = (await host.run({ program: 'losetup', args })).stdout.trim();
  try {
    const proof = await proveInVm(
      host,
      await request({ disks: [{ path: device, serial: 'vol-1' }] }),
    );
    expect(proof).toMatchObject({ boots: false, stoppedAt: 'boot-loader' });
  } finally {
    await host.run({ program: 'losetup', args: ['--detach', device] });
  }
  expect(await writtenAt(file)).toEqual(before);
});

test.each(['virtio', 'nvme'] as const)(
  'without room for what the machine writes to a disk on %s nothing is said of the system',
  async (bus) => {
    const scratch = join(directory, `small-${bus}`);
    await mkdir(scratch);
    await host.run({ program: 'mount', args: ['-t', 'tmpfs', '-o', 'size=2m', 'small', scratch] });
    try {
      const proof = proveInVm(host, await request({ bus, scratch }));
      await expect(proof).rejects.toMatchObject({ code: 'SCRATCH_FULL' });
      expect(await readdir(scratch)).toEqual([]);
    } finally {
      await host.run({ program: 'umount', args: [scratch] });
    }
  },
);

test('an interrupted proof ends the machine and takes its files away', async () => {
  const controller = new AbortController();
  const onStage = () => controller.abort();
  const proof = proveInVm(host, await request({ signal: controller.signal, onStage }));
  await expect(proof).rejects.toMatchObject({ code: 'INTERRUPTED' });
  await expectNothingLeft();
});

test('a machine that was left is found by the mark of its session, and its end is no verdict', async () => {
  const seen = Promise.withResolvers<void>();
  const proof = proveInVm(host, await request({ onStage: () => seen.resolve() }));
  const failed = expect(proof).rejects.toMatchObject({ code: 'VM_ENDED' });
  await seen.promise;
  expect(await stopVm(host, session)).toEqual({ outcome: 'undone' });
  await failed;
  expect(await stopVm(host, session)).toEqual({ outcome: 'gone' });
  await expectNothingLeft();
});

test('what is no disk is refused before anything is started', async () => {
  const wrong = await request({ disks: [{ path: directory, serial: null }] });
  await expect(proveInVm(host, wrong)).rejects.toMatchObject({ code: 'NO_DISK' });
  const foreign = await request({ architecture: 'aarch64' });
  await expect(proveInVm(host, foreign)).rejects.toMatchObject({ code: 'VM_ARCHITECTURE' });
});
