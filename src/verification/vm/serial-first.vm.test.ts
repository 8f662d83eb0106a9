import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BootableDisks, bootableCopy } from '../../../fixtures/bootable/bootable-image.ts';
import { editOnDisk } from '../../../fixtures/bootable/faults/ext-files.ts';
import { healthySystems } from '../../../fixtures/bootable/healthy-systems.ts';
import { vmRequest } from '../../../fixtures/bootable/vm-request.ts';
import { createHost } from '../../host/host.ts';
import type { Proof } from '../proof.ts';
import { proveInVm } from './prove-in-vm.ts';

const host = createHost();
const spec = healthySystems['bookworm, GRUB on BIOS'];

let directory: string;
let disks: BootableDisks;

/** The screen is /dev/console, as on machines whose administrator has put it last. */
const screenLast = (text: string): string =>
  text.replaceAll('console=tty0 console=ttyS0,115200', 'console=ttyS0,115200 console=tty0');

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-serial-'));
  disks = await bootableCopy(host, spec, directory);
  await editOnDisk({ host, disks, directory }, '/boot/grub/grub.cfg', screenLast);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const prove = async (): Promise<Proof> => {
  const request = await vmRequest(host, spec, disks, directory);
  const { ownKernel } = request;
  if (ownKernel === null) throw new Error('no kernel');
  const commandLine = screenLast(ownKernel.commandLine);
  return proveInVm(host, { ...request, ownKernel: { ...ownKernel, commandLine } });
};

test('with the screen as its console a system passes by the login on its serial line', async () => {
  const proof = await prove();
  expect(proof, proof.evidence.join('\n')).toMatchObject({ boots: true, notJudged: null });
  expect(proof.runs.map(({ start }) => start)).toEqual(['disk']);
});

test('its emergency mode is told by sulogin, which speaks on every console', async () => {
  await editOnDisk({ host, disks, directory }, '/etc/fstab', (text) =>
    text.concat(
      'UUID=99999999-8888-7777-6666-555555555555 /srv/data ext4 x-systemd.device-timeout=5s 0 2\n',
    ),
  );
  const proof = await prove();
  expect(proof, proof.evidence.join('\n')).toMatchObject({
    ...{ boots: false, stoppedAt: 'root-mounted', notJudged: null },
    cause: expect.stringContaining('systemd stopped in emergency mode'),
  });
});
