import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { leanDisk } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { cleanupDocumentSchema } from '../commands/cleanup.ts';
import { mountDocumentSchema } from '../commands/mount.ts';
import { statusDocumentSchema } from '../commands/status.ts';
import { waitUntil } from '../host/wait.ts';

let lab: Lab;
let image = '';

beforeAll(async () => {
  lab = await openLab();
  image = (await leanDisk(lab, 'separate')).file;
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const mount = async () => {
  const answer = await lab.kit(['mount', image, '--json']);
  expect(answer.exitCode, answer.stderr).toBe(0);
  return answer.json(mountDocumentSchema);
};

const cleanUp = async (): Promise<void> => {
  const answer = await lab.kit(['cleanup']);
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(0);
};

/** A process that holds something until `end`; it tells its pid by a file. */
const hold = async (root: string, words: readonly string[]) => {
  const file = `${lab.directory}/holder`;
  await lab.host.files.removeFile(file);
  const controller = new AbortController();
  const script = 'cd "$1" && shift && exec "$@" sh -c \'echo $$ > "$0"; exec sleep 600\' "$FILE"';
  const ended = lab.host
    .run({
      program: 'sh',
      args: ['-c', script, 'sh', root, ...words],
      env: { FILE: file },
      signal: controller.signal,
    })
    .catch(() => null);
  const told = async () => ((await lab.host.files.readText(file)) ?? '').endsWith('\n');
  expect(await waitUntil(told, 5000)).toBe(true);
  const pid = Number(await lab.host.files.readText(file));
  return {
    pid,
    end: async () => {
      controller.abort();
      await ended;
    },
  };
};

it('names a process that works in the mounted tree, and takes all down when it is gone', async () => {
  const { root, session } = await mount();
  const holder = await hold(`${root}/var`, []);
  try {
    const busy = await lab.kit(['cleanup', '--json']);
    expect(busy.exitCode).toBe(5);
    const { left } = busy.json(cleanupDocumentSchema);
    expect(left.some(({ reason }) => reason.includes(`sleep (pid ${holder.pid}, `))).toBe(true);
    expect(left.every((item) => item.session === session)).toBe(true);
    const { sessions } = (await lab.kit(['status', '--json'])).json(statusDocumentSchema);
    expect(sessions).toMatchObject([{ id: session, holds: expect.arrayContaining([]) }]);
    expect(sessions[0]?.holds.length).toBeGreaterThan(0);
  } finally {
    await holder.end();
  }
  await cleanUp();
});

it('takes all down though a namespace that was made meanwhile has copies of the mounts', async () => {
  await mount();
  const holder = await hold('/', ['unshare', '--mount']);
  try {
    await cleanUp();
    await lab.expectAsBefore();
  } finally {
    await holder.end();
  }
});

it('names a process that mounts the disk in a namespace of its own', async () => {
  const { mounts } = await mount();
  const device = mounts.find(({ target }) => target === '/boot')?.device ?? '';
  const words = ['unshare', '--mount', 'sh', '-c', 'mount "$0" /mnt && exec "$@"', device];
  const holder = await hold('/', words);
  try {
    const busy = await lab.kit(['cleanup']);
    expect(busy.exitCode).toBe(5);
    expect(busy.stdout).toMatch(
      new RegExp(`sleep \\(pid ${holder.pid}, its mount namespace, at /mnt`),
    );
  } finally {
    await holder.end();
  }
  await cleanUp();
});

it('ends with exit code 5 when a process outside keeps the booted system busy', async () => {
  const running = lab.start(['rescue', image, '--exec', 'echo inside; sleep 3']);
  await waitUntil(async () => running.output().includes('inside') || !running.isRunning(), 20_000);
  const [id] = (await lab.sessions()).slice(-1);
  const state = (await lab.kit(['status', '--json'])).json(statusDocumentSchema);
  const own = state.sessions.find((session) => session.state === 'running');
  expect(own, `${id}`).toBeDefined();
  const root = `${lab.stateDirectory}/run/${own?.id}/root`;
  const holder = await hold(root, []);
  try {
    const answer = await running.ended;
    expect(answer.exitCode).toBe(5);
    expect(answer.stderr).toContain(`sleep (pid ${holder.pid}, working directory)`);
    expect(answer.stderr).toContain('rescuekit cleanup');
  } finally {
    await holder.end();
  }
  await cleanUp();
});
