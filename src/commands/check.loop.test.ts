import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { leanDisk } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { checkDocumentSchema } from './check.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const check = async (file: string, ...options: string[]) => {
  const answer = await lab.kit(['check', file, ...options, '--json']);
  return { exitCode: answer.exitCode, ...answer.json(checkDocumentSchema) };
};

const debugfs = async (file: string, request: string): Promise<void> => {
  await lab.run('debugfs', '-w', '-R', request, file);
};

it('mends damage, looks again, and keeps an undo file that brings the damage back', async () => {
  const { file } = await leanDisk(lab, 'whole');
  await debugfs(file, 'clri /etc/hostname');
  await debugfs(file, 'set_super_value free_inodes_count 5');
  const damaged = await lab.sum(file);
  const found = await check(file);
  expect(found.exitCode).toBe(3);
  expect(found.results).toMatchObject([{ fsType: 'ext4', outcome: 'damaged', undoFile: null }]);
  expect(found.results[0]?.evidence.length).toBeGreaterThan(0);
  expect(await lab.sum(file)).toBe(damaged);

  const repaired = await check(file, '--repair');
  expect(repaired.exitCode).toBe(0);
  const [result] = repaired.results;
  expect(result).toMatchObject({ outcome: 'repaired' });
  const again = await check(file);
  expect(again).toMatchObject({ exitCode: 0, results: [{ outcome: 'clean' }] });

  const undoFile = result?.undoFile ?? '';
  expect(undoFile).toContain(`/sessions/${repaired.session}/`);
  await lab.run('e2undo', undoFile, file);
  expect(await lab.sum(file)).toBe(damaged);
});

it('does not call a disk mended when its repair did not succeed', async () => {
  const { file } = await leanDisk(lab, 'whole');
  const zeros = ['if=/dev/zero', `of=${file}`, 'bs=1024', 'seek=1', 'count=1', 'conv=notrunc'];
  await lab.run('dd', ...zeros, 'status=none');
  const answer = await lab.kit(['check', file, '--repair', '--json']);
  expect(answer.exitCode).not.toBe(0);
  expect(answer.stdout).not.toContain('"repaired"');
});

it('refuses to mount or boot what is damaged, and does both after the repair', async () => {
  const { file } = await leanDisk(lab, 'separate');
  const boot = ['rescue', file, '--exec', 'cat /proc/1/comm'];
  // The root is the third partition; debugfs reads it at its offset.
  const table = await lab.run('sfdisk', '--json', file);
  const start = /"start": (\d+),[^{}]*$/m.exec(table.slice(table.lastIndexOf('"start"')))?.[1];
  await debugfs(`${file}?offset=${Number(start) * 512}`, 'clri /etc/hostname');
  const sum = await lab.sum(file);
  for (const words of [boot, ['mount', file]]) {
    const refused = await lab.kit(words);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/Nothing was mounted\. Repair first/);
  }
  expect(await lab.sum(file)).toBe(sum);
  const rescued = await lab.kit([...boot, '--repair']);
  expect(rescued.exitCode, rescued.stderr).toBe(0);
  expect(rescued.stdout).toBe('systemd\n');
});
