import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { bootableCopy } from '../../fixtures/bootable/bootable-image.ts';
import { brokenDisks } from '../../fixtures/bootable/faults/broken-disks.ts';
import { initramfsFaults } from '../../fixtures/bootable/faults/initramfs-faults.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { verifyDocumentSchema } from './verify.ts';

let lab: Lab;
let image = '';

beforeAll(async () => {
  lab = await openLab();
  const spec = { suite: 'bookworm', loader: 'grub-bios' } as const;
  image = (await bootableCopy(lab.host, spec, lab.directory))[0].file;
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const leftInSession = async (session: string) =>
  (await lab.host.files.list(`${lab.stateDirectory}/sessions/${session}`)) ?? [];

it('boots a disk from its own boot loader, changes no byte of it, and leaves nothing', async () => {
  const before = await lab.sum(image);
  const answer = await lab.kit(['verify', image, '--vm', '--json']);
  const proof = answer.json(verifyDocumentSchema);
  expect(proof, answer.stdout).toMatchObject({ boots: true, method: 'vm', firmware: 'bios' });
  expect([answer.exitCode, proof.target]).toEqual([0, 'graphical.target']);
  expect(proof.stages.map(({ stage }) => stage)).toContain('login');
  expect(await leftInSession(proof.session)).not.toContain('vm');
  expect(await lab.sum(image)).toBe(before);
});

it('tries a system that was made for another machine on the bus that it has drivers for', async () => {
  const directory = join(lab.directory, 'other');
  await mkdir(directory);
  const [disk] = await brokenDisks(lab.host, initramfsFaults['driver-missing'], directory);
  const dry = await lab.kit(['verify', disk.file, '--vm', '--dry-run']);
  expect(dry.stdout, dry.stderr).toMatch(/qemu-system-x86_64 .*nvme,drive=disk0/);
  const answer = await lab.kit(['verify', disk.file, '--vm']);
  expect(answer.exitCode, answer.stdout).toBe(0);
  expect(answer.stdout).toContain(
    'Its disks were on NVMe, since it has no driver for virtio before its',
  );
  expect(answer.stdout).toContain('The machine had the disks themselves on NVMe');
});

it('says of a boot that is not through in its time that it was not judged, with exit code 1', async () => {
  const args = ['verify', image, '--vm', '--boot-timeout', '2'];
  const answer = await lab.kit(args);
  expect(answer.exitCode, answer.stdout).toBe(1);
  expect(answer.stdout).toMatch(/Not judged: It was not through after 2 s/);
  expect(answer.stdout).not.toContain('does not boot');
  const proof = (await lab.kit([...args, '--json'])).json(verifyDocumentSchema);
  expect(proof).toMatchObject({ boots: false, cause: null });
  expect(proof.notJudged).toContain('--boot-timeout');
});

it('says of a disk without a boot signature that it does not boot, with exit code 3', async () => {
  // With the first sector's signature gone the firmware says so at once.
  await lab.run('dd', 'if=/dev/zero', `of=${image}`, 'bs=512', 'count=1', 'conv=notrunc');
  const answer = await lab.kit(['verify', image, '--vm', '--firmware', 'bios']);
  expect([answer.exitCode, answer.stdout]).toEqual([3, expect.stringContaining('does not boot')]);
  expect(answer.stdout).toMatch(/BIOS, its own boot loader, (software emulation|KVM)/);
  expect(answer.stdout).toContain(`Nothing was written to ${image}.`);
});

it('shows with --dry-run how the machine would be started, and starts none', async () => {
  const answer = await lab.kit(['verify', image, '--vm', '--dry-run', '--bus', 'nvme']);
  expect(answer.exitCode, answer.stderr).toBe(0);
  expect(answer.stdout).toMatch(/qemu-img create .*disk0\.qcow2/);
  expect(answer.stdout).toMatch(/qemu-system-x86_64 .*nvme,drive=disk0.*-nic none/);
});
