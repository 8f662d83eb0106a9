import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bootableImage } from '../../../fixtures/bootable/bootable-image.ts';
import { luksPassphrase } from '../../../fixtures/bootable/encrypted-root.ts';
import { encryptedSystem } from '../../../fixtures/bootable/healthy-systems.ts';
import { vmRequest } from '../../../fixtures/bootable/vm-request.ts';
import { createHost } from '../../host/host.ts';
import type { Proof } from '../proof.ts';
import { proveInVm } from './prove-in-vm.ts';

const host = createHost();
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rescuekit-encrypted-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const proofWith = async (...passphrases: readonly string[]): Promise<Proof> => {
  const disks = await bootableImage(host, encryptedSystem);
  const request = await vmRequest(host, encryptedSystem, disks, directory);
  return proveInVm(host, { ...request, passphrases });
};

it('boots an encrypted root with the passphrase typed, which is shown nowhere', async () => {
  const proof = await proofWith('the passphrase of another disk', luksPassphrase);
  expect(proof.cause ?? proof.notJudged, proof.evidence.join('\n')).toBeNull();
  expect(proof).toMatchObject({ boots: true, failedUnits: [] });
  expect(JSON.stringify(proof)).not.toContain(luksPassphrase);
});

it('does not judge it without the passphrase', async () => {
  const proof = await proofWith();
  expect(proof).toMatchObject({ boots: false, cause: null });
  expect(proof.notJudged).toMatch(/unlock disk cryptroot.*--passphrase-file/);
});
