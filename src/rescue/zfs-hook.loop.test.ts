import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeZfs, makeFakeZfs } from '../../fixtures/fake-zfs.ts';
import { type HooksDirectory, makeHooksDirectory } from '../../fixtures/hooks-directory.ts';
import { leanDisk, withMounted } from '../../fixtures/lean-disk.ts';
import { type Answer, type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { inspectDocumentSchema } from '../commands/inspect.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';
import { statusDocumentSchema } from '../commands/status.ts';

/** The example in the documentation, with stand-ins for ZFS: this kind of machine has none. */
const example = fileURLToPath(new URL('../../docs/examples/hooks.d', import.meta.url));

let lab: Lab;
let hooks: HooksDirectory;
let zfs: FakeZfs;
let disk = '';
let system = '';

beforeAll(async () => {
  lab = await openLab();
  const made = await leanDisk(lab, 'whole', { name: 'system' });
  system = made.file;
  await withMounted(lab, made, '/', (root) => lab.run('ln', '-s', '/', `${root}/trap`));
  disk = `${lab.directory}/zfs.raw`;
  await lab.run('truncate', '--size=32M', disk);
  await lab.run('sh', '-c', 'echo ",,L" | sfdisk --quiet --label gpt "$0"', disk);
});
beforeEach(async () => {
  hooks = await makeHooksDirectory(lab);
  await lab.run('cp', '-rT', example, hooks.path);
  await lab.run('chown', '-R', '0:0', hooks.path);
  await lab.run('chmod', '-R', 'go-w', hooks.path);
  zfs = await makeFakeZfs(lab, system);
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const kit = (...words: readonly string[]): Promise<Answer> =>
  lab.kit([...words, ...hooks.words], { env: zfs.env });

const newest = async () => {
  const { sessions } = (await lab.kit(['status', '--all', '--json'])).json(statusDocumentSchema);
  return sessions.at(-1);
};

describe('the example hooks for ZFS', () => {
  it('make the system on a pool known to inspect, and import it read-only for that', async () => {
    const sum = await lab.sum(system);
    const answer = await kit('inspect', disk, '--json');
    expect(answer.exitCode, answer.stderr).toBe(0);
    const { systems } = answer.json(inspectDocumentSchema);
    expect(systems).toMatchObject([{ hostname: 'web-3', root: null, mounts: [] }]);
    const [imported = '', ...rest] = await zfs.calls();
    const pool = `rescuekit-${(await newest())?.id}-1`;
    expect(imported).toMatch(/^zpool import -d \/dev\/loop\d+p1 -f -N -o readonly=on /);
    expect(imported).toMatch(
      new RegExp(`-o cachefile=none -R /\\S+ -t 1234567890123456789 ${pool}$`),
    );
    expect(rest).toEqual([
      `zfs mount -o nodev ${pool}/ROOT/debian`,
      `zfs mount -o nodev ${pool}/srv`,
      `zpool export ${pool}`,
    ]);
    expect(answer.stderr).toContain('trap is not mounted: its mount point /trap/etc is behind');
    expect(await lab.sum(system)).toBe(sum);
  });

  it('let the system be booted, with what they mounted below its root', async () => {
    const script = 'cat /etc/hostname; grep -c " /srv " /proc/self/mounts; echo kept > /root/zfs';
    const answer = await kit('rescue', disk, '--exec', script, '--json');
    expect(answer.exitCode, answer.stderr).toBe(0);
    const document = answer.json(rescueDocumentSchema);
    expect(document).toMatchObject({ reachedTarget: true, exec: { stdout: 'web-3\n1\n' } });
    expect((await zfs.calls())[0]).toContain('-o readonly=off');
    const again = await kit('rescue', disk, '--ephemeral', '--exec', 'cat /root/zfs', '--json');
    expect(again.json(rescueDocumentSchema)).toMatchObject({ exec: { stdout: 'kept\n' } });
  });

  it('keep nothing of a throwaway boot', async () => {
    const sum = await lab.sum(system);
    const answer = await kit('rescue', disk, '--ephemeral', '--exec', 'touch /gone');
    expect(answer.exitCode, answer.stderr).toBe(0);
    expect(await lab.sum(system)).toBe(sum);
    expect((await zfs.calls()).at(-1)).toMatch(/^zpool export/);
  });

  it('keep the session open when the pool cannot be exported, and cleanup exports it', async () => {
    await zfs.setBusy(true);
    const answer = await kit('rescue', disk, '--exec', 'true');
    expect(answer.exitCode).toBe(5);
    expect(answer.stderr).toContain('pool is busy');
    const session = await newest();
    expect(session?.state).toBe('left');
    await zfs.setBusy(false);
    const cleaned = await lab.kit(['cleanup', session?.id ?? ''], { env: zfs.env });
    expect(cleaned.exitCode, cleaned.stdout + cleaned.stderr).toBe(0);
    expect((await newest())?.state).toBe('closed');
  });

  it('leave a target without a pool alone', async () => {
    const { file } = await leanDisk(lab, 'whole', { name: 'other' });
    expect((await kit('inspect', file)).exitCode).toBe(0);
    expect(await zfs.calls()).toEqual([]);
  });
});

describe('a root that a hook names', () => {
  it.each([
    ['is no directory', '$RESCUEKIT_RUN_DIR/no', /is no directory/],
    ['is a directory of the rescue host', '/etc', /is not below/],
  ])('and that %s is refused', async (_, path, words) => {
    await hooks.add('after-activate', '99-root', `echo "${path}" > "$RESCUEKIT_HOOK_DIR/roots"`);
    const answer = await kit('inspect', disk, '--json');
    expect(answer.exitCode).toBe(1);
    expect(answer.error()).toMatchObject({ code: 'HOOK_FAILED' });
    expect(answer.error().message).toMatch(words);
  });
});
