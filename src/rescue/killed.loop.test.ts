import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Gate, makeGate } from '../../fixtures/gate.ts';
import { leanDisk } from '../../fixtures/lean-disk.ts';
import { type Answer, type Lab, openLab, type Running } from '../../fixtures/rescuekit.ts';
import { cleanupDocumentSchema } from '../commands/cleanup.ts';
import { statusDocumentSchema } from '../commands/status.ts';
import { processesWithEnvironment } from '../host/processes.ts';
import { waitUntil } from '../host/wait.ts';

let lab: Lab;
let image = '';

beforeAll(async () => {
  lab = await openLab();
  image = (await leanDisk(lab, 'separate')).file;
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const patience = 20_000;

/** A rescue that stands at the place where the test wants to hit it. */
type Standing = { readonly running: Running; readonly gate: Gate | null };

const standAt = async (program: string, pattern: string): Promise<Standing> => {
  const gate = await makeGate(lab, program, pattern);
  const running = lab.start(['rescue', image, '--exec', 'echo hello'], { env: gate.env });
  await gate.reached(running);
  return { running, gate };
};

const standInContainer = async (): Promise<Standing> => {
  const running = lab.start(['rescue', image, '--exec', 'echo inside; sleep 600']);
  const inside = async () => running.output().includes('inside');
  await waitUntil(async () => (await inside()) || !running.isRunning(), patience);
  expect(await inside(), running.isRunning() ? '' : (await running.ended).stderr).toBe(true);
  return { running, gate: null };
};

const places: readonly (readonly [string, () => Promise<Standing>])[] = [
  ['while a checker runs', () => standAt('e2fsck', '*')],
  ['while the root is being mounted', () => standAt('mount', `*/root`)],
  ['while the container is being started', () => standAt('systemd-nspawn', '*')],
  ['while the container runs', standInContainer],
  ['while it takes everything down', () => standAt('umount', `*/root`)],
];

const newSession = async (before: readonly string[]): Promise<string> => {
  const [id] = (await lab.sessions()).filter((one) => !before.includes(one));
  if (id === undefined) throw new Error('there is no new session');
  return id;
};

const stateOf = async (id: string): Promise<string | undefined> => {
  const { sessions } = (await lab.kit(['status', '--json'])).json(statusDocumentSchema);
  return sessions.find((session) => session.id === id)?.state;
};

const cleanup = async (): Promise<Answer> => lab.kit(['cleanup', '--json']);

describe('rescuekit killed with kill -9', () => {
  it.each(places)('%s leaves what cleanup takes down, once', async (_, stand) => {
    const known = await lab.sessions();
    const { running } = await stand();
    const id = await newSession(known);
    expect(await stateOf(id)).toBe('running');
    process.kill(running.pid, 'SIGKILL');
    expect((await running.ended).signal).toBe('SIGKILL');
    expect(await stateOf(id)).toBe('left');
    const first = await cleanup();
    expect(first.exitCode, first.stdout + first.stderr).toBe(0);
    const { removed, left } = first.json(cleanupDocumentSchema);
    expect(left).toEqual([]);
    expect(removed.every(({ session }) => session === id)).toBe(true);
    expect(removed.length).toBeGreaterThan(0);
    await lab.expectAsBefore();
    const second = await cleanup();
    expect(second.exitCode).toBe(0);
    expect(second.json(cleanupDocumentSchema)).toMatchObject({ removed: [], left: [] });
    expect(await stateOf(id)).toBeUndefined();
  });

  it('while the root is being mounted leaves a mount that comes up afterwards', async () => {
    const { running, gate } = await standAt('mount', '*/root');
    const id = (await lab.sessions()).at(-1);
    process.kill(running.pid, 'SIGKILL');
    await running.ended;
    await gate?.open();
    const isMounted = async () =>
      (await lab.state()).mounts.some((mount) => /\/run\/[0-9a-f]+\/root /.test(mount));
    expect(await waitUntil(isMounted, patience), `${id}`).toBe(true);
    expect((await cleanup()).exitCode).toBe(0);
  });

  it('leaves a journal with a cut-off last line, which cleanup reads up to there', async () => {
    const known = await lab.sessions();
    const { running } = await standAt('systemd-nspawn', '*');
    process.kill(running.pid, 'SIGKILL');
    await running.ended;
    const directory = `${lab.stateDirectory}/sessions/${await newSession(known)}`;
    await lab.host.files.append(`${directory}/journal.jsonl`, '{"event":"intent","step":99,"ti');
    await lab.host.files.append(`${directory}/transcript.jsonl`, '{"kind":"comm');
    const { removed, left } = (await cleanup()).json(cleanupDocumentSchema);
    expect(left).toEqual([]);
    expect(removed.length).toBeGreaterThan(3);
  });

  it('while cleanup is at work can be cleaned up again', async () => {
    const { running } = await standInContainer();
    process.kill(running.pid, 'SIGKILL');
    await running.ended;
    const gate = await makeGate(lab, 'umount', '*/var');
    const first = lab.start(['cleanup'], { env: gate.env });
    await gate.reached(first);
    process.kill(first.pid, 'SIGKILL');
    await first.ended;
    await gate.open();
    expect((await cleanup()).exitCode).toBe(0);
  });
});

describe('a systemd-nspawn killed with kill -9', () => {
  it('does not leave its container running', async () => {
    const known = await lab.sessions();
    const { running } = await standInContainer();
    const id = await newSession(known);
    const marked = await processesWithEnvironment(lab.host.files, `RESCUEKIT_SESSION=${id}`);
    const names = await Promise.all(
      marked.map(async (pid) => ({
        pid,
        name: await lab.host.files.readText(`/proc/${pid}/comm`).catch(() => null),
      })),
    );
    for (const { pid, name } of names) {
      if (name?.startsWith('systemd-nspawn')) process.kill(pid, 'SIGKILL');
    }
    const answer = await running.ended;
    expect(answer.exitCode).toBe(1);
    expect(answer.stderr).toMatch(/systemd-nspawn was killed/);
    expect(answer.stderr).not.toContain('\u001b');
    expect(await stateOf(id)).toBeUndefined();
  });
});

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('rescuekit given %s', (signal) => {
  it.each(places.slice(0, -1))('%s takes everything down and exits 130', async (_, stand) => {
    const known = await lab.sessions();
    const { running } = await stand();
    const id = await newSession(known);
    process.kill(running.pid, signal);
    const answer = await running.ended;
    expect(answer.exitCode, answer.stderr).toBe(130);
    await lab.expectAsBefore();
    expect(await stateOf(id)).toBeUndefined();
  });

  it('while it takes everything down goes on with that: the job itself is done', async () => {
    const known = await lab.sessions();
    const { running, gate } = await standAt('umount', '*/root');
    const id = await newSession(known);
    process.kill(running.pid, signal);
    await gate?.open();
    const answer = await running.ended;
    expect(answer.exitCode, answer.stderr).toBe(0);
    expect(answer.stdout).toContain('hello');
    await lab.expectAsBefore();
    expect(await stateOf(id)).toBeUndefined();
  });
});

describe('two signals', () => {
  it('end in the same way as one: taking down is already under way', async () => {
    const { running } = await standInContainer();
    process.kill(running.pid, 'SIGINT');
    process.kill(running.pid, 'SIGTERM');
    expect((await running.ended).exitCode).toBe(130);
  });
});
