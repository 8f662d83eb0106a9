import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { debianTree } from '../../../fixtures/base-tree.ts';
import { bootableCopy } from '../../../fixtures/bootable/bootable-image.ts';
import { replaceEspFile } from '../../../fixtures/bootable/faults/esp-files.ts';
import { healthySystems } from '../../../fixtures/bootable/healthy-systems.ts';
import { bootableTree } from '../../../fixtures/bootable/trees.ts';
import { vmRequest } from '../../../fixtures/bootable/vm-request.ts';
import { createHost } from '../../host/host.ts';
import type { Proof } from '../proof.ts';
import { proveInVm } from './prove-in-vm.ts';

const host = createHost();
const spec = healthySystems['trixie, GRUB on UEFI'];

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-secure-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** GRUB as Debian builds it before it is signed. */
const unsignedGrub = async (): Promise<Buffer> => {
  const tree = await debianTree(host, bootableTree(spec));
  return readFile(join(tree, 'usr/lib/grub/x86_64-efi/monolithic/grubx64.efi'));
};

/** Boots a copy of the healthy system, with an unsigned GRUB in one place or in none. */
const proveSecurely = async (unsigned: string | null): Promise<Proof> => {
  const disks = await bootableCopy(host, spec, directory);
  if (unsigned !== null) {
    await replaceEspFile({ host, disks, directory }, unsigned, await unsignedGrub());
  }
  const request = await vmRequest(host, spec, disks, directory);
  return proveInVm(host, { ...request, secureBoot: true });
};

test('a system with a signed boot loader boots with Secure Boot', async () => {
  const proof = await proveSecurely(null);
  expect(proof, proof.evidence.join('\n')).toMatchObject({ boots: true, firmware: 'uefi' });
  expect(proof.runs.map(({ start }) => start)).toEqual(['disk']);
});

test('the firmware refuses a boot loader that nobody has signed', async () => {
  const proof = await proveSecurely('/EFI/BOOT/BOOTX64.EFI');
  expect(proof, proof.evidence.join('\n')).toMatchObject({ boots: false, stoppedAt: 'firmware' });
  expect(proof.cause).toContain('Secure Boot refuses it');
});

test('shim refuses a GRUB that nobody has signed', async () => {
  const proof = await proveSecurely('/EFI/BOOT/grubx64.efi');
  expect(proof, proof.evidence.join('\n')).toMatchObject({
    ...{ boots: false, stoppedAt: 'boot-loader' },
    cause: expect.stringContaining('shim refuses the boot loader'),
  });
});
