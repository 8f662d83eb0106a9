import { dirname } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HooksDirectory, makeHooksDirectory } from '../../fixtures/hooks-directory.ts';
import { leanDisk } from '../../fixtures/lean-disk.ts';
import { type Answer, type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { openTerminal } from '../../fixtures/terminal.ts';
import { cleanupDocumentSchema } from '../commands/cleanup.ts';
import { dryRunDocumentSchema } from '../commands/dry-run.ts';
import { mountDocumentSchema } from '../commands/mount.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';
import { statusDocumentSchema, transcriptDocumentSchema } from '../commands/status.ts';
import { waitUntil } from '../host/wait.ts';
import { hookStages } from './hook-input.ts';

let lab: Lab;
let image = '';
let hooks: HooksDirectory;

beforeAll(async () => {
  lab = await openLab();
  image = (await leanDisk(lab, 'whole')).file;
});
beforeEach(async () => {
  hooks = await makeHooksDirectory(lab);
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const kit = (...words: readonly string[]): Promise<Answer> => lab.kit([...words, ...hooks.words]);

const newest = async (): Promise<string> => {
  const { sessions } = (await lab.kit(['status', '--all', '--json'])).json(statusDocumentSchema);
  return sessions.at(-1)?.id ?? '';
};

const stateOf = async (id: string): Promise<string | undefined> => {
  const { sessions } = (await lab.kit(['status', '--all', '--json'])).json(statusDocumentSchema);
  return sessions.find((session) => session.id === id)?.state;
};

const hookRuns = async (id: string) => {
  const answer = await lab.kit(['status', '--transcript', id, '--json']);
  const { entries } = answer.json(transcriptDocumentSchema);
  return entries.filter((entry) => entry.kind === 'hook');
};

const takeDownStages = ['before-unmount', 'after-unmount', 'before-deactivate', 'after-deactivate'];

describe('hooks', () => {
  it('run in every stage of a rescue, in order, and are told what is known by then', async () => {
    await hooks.addWitnesses();
    const answer = await kit('rescue', image, '--exec', 'true', '--json');
    expect(answer.exitCode, answer.stderr).toBe(0);
    const { session } = answer.json(rescueDocumentSchema);
    expect(await hooks.toldStages()).toEqual(hookStages);
    const told = new Map((await hooks.told()).map((one) => [one.stage, one]));
    expect(told.get('before-probe')).toMatchObject({ session, target: image, root: null });
    expect(told.get('before-check')).toMatchObject({ mode: 'read-write', outcome: null });
    const root = `${lab.stateDirectory}/run/${session}/root`;
    const mounts = [{ target: '/', device: expect.stringMatching(/^\/dev\/loop\d+$/) }];
    const after = { root, mounts, outcome: 'done', command: 'rescue' };
    expect(told.get('after-mount')).toMatchObject(after);
    expect(told.get('after-mount')?.system?.name).toMatch(/Debian/);
    expect(told.get('after-unmount')).toMatchObject({ ...after, root });
  });

  it('run in the order of their names, leftovers and what is not executable left out', async () => {
    const log = `${hooks.path}.order`;
    for (const name of ['B', '10-a', '9-a', 'a', 'a~', 'a.bak', '.a', 'a.dpkg-old', 'a.rpmsave']) {
      await hooks.add('before-mount', name, `echo ${name} >> ${log}`);
    }
    await hooks.add('before-mount', 'readme', `echo readme >> ${log}`, 0o644);
    expect((await kit('rescue', image, '--ephemeral', '--exec', 'true')).exitCode).toBe(0);
    expect(await lab.run('cat', log)).toBe('10-a\n9-a\nB\na');
  });

  it('get the same in their environment, and a directory to leave word for each other', async () => {
    const log = `${hooks.path}.log`;
    const left = '"$RESCUEKIT_HOOK_DIR/word"';
    await hooks.add('before-mount', 'leave', `echo "$RESCUEKIT_SESSION" > ${left}`);
    await hooks.add(
      'after-unmount',
      'read',
      `echo "$RESCUEKIT_STAGE $RESCUEKIT_MODE $RESCUEKIT_OUTCOME" $(cat ${left}) > ${log}`,
    );
    const answer = await kit('rescue', image, '--ephemeral', '--exec', 'true', '--json');
    const { session } = answer.json(rescueDocumentSchema);
    expect(await lab.run('cat', log)).toBe(`after-unmount ephemeral done ${session}`);
  });

  it('are shown as they print, and stand in the transcript', async () => {
    const hook = await hooks.add('before-mount', '50-say', 'echo one; printf "\\033[2Jtwo\\n" >&2');
    const answer = await kit('rescue', image, '--ephemeral', '--exec', 'true', '--json');
    expect(answer.stderr).toContain('before-mount/50-say: one\n');
    expect(answer.stderr).toContain('before-mount/50-say: two\n');
    const { session } = answer.json(rescueDocumentSchema);
    expect(await hookRuns(session)).toMatchObject([
      { stage: 'before-mount', path: hook, exitCode: 0, failure: null, output: ['one', 'two'] },
    ]);
    const text = (await lab.kit(['status', '--transcript', session])).stdout;
    expect(text).toContain(`hook before-mount: ${hook}`);
    const script = await lab.kit(['status', '--transcript', session, '--format', 'script']);
    expect(script.stdout).toContain(`# hook before-mount: ${hook}`);
  });

  it('are told read-only by commands that write nothing', async () => {
    await hooks.addWitnesses();
    expect((await kit('inspect', image)).exitCode).toBe(0);
    expect((await kit('check', image)).exitCode).toBe(0);
    const told = await hooks.told();
    expect(new Set(told.map(({ mode }) => mode))).toEqual(new Set(['read-only']));
    expect(told.map(({ stage }) => stage)).toContain('before-check');
    expect(told.map(({ stage }) => stage)).not.toContain('before-mount');
  });

  it('are named by --dry-run and not run', async () => {
    await hooks.addWitnesses();
    const answer = await kit('rescue', image, '--exec', 'true', '--dry-run', '--json');
    const { plan } = answer.json(dryRunDocumentSchema);
    const named = plan.flatMap(([program = '']) => program.split('/').at(-2) ?? []);
    expect(named.filter((name) => hookStages.some((stage) => stage === name))).toEqual(hookStages);
    expect(await hooks.told()).toEqual([]);
  });

  it('leave nothing behind in a session when there are none', async () => {
    const answer = await kit('rescue', image, '--ephemeral', '--exec', 'true', '--json');
    const { session } = answer.json(rescueDocumentSchema);
    const names = await lab.host.files.list(`${lab.stateDirectory}/sessions/${session}`);
    expect(names).toEqual(['journal.jsonl', 'session.json', 'transcript.jsonl']);
  });
});

describe('a hook that fails', () => {
  it.each([
    ['exits with 3', 'echo "no such pool"; exit 3', /ended with exit code 3: no such pool/],
    ['is killed', 'kill -9 $$', /SIGKILL ended it/],
    ['has no interpreter', '', /could not be started/],
  ])('because it %s stops the job, and everything comes down', async (_, script, words) => {
    await hooks.addWitnesses();
    const hook = await hooks.add('after-mount', '50-fail', script);
    if (script === '') await lab.host.files.writeText(hook, '#!/no/such/shell\n', 0o755);
    const answer = await kit('rescue', image, '--exec', 'true', '--json');
    expect(answer.exitCode).toBe(1);
    expect(answer.error()).toMatchObject({ code: 'HOOK_FAILED' });
    expect(answer.error().message).toContain(hook);
    expect(answer.error().message).toMatch(words);
    const stages = await hooks.toldStages();
    expect(stages).not.toContain('before-boot');
    expect(stages.slice(-4)).toEqual(takeDownStages);
    expect(await stateOf(await newest())).toBe('closed');
  });

  it('because it does not end in time is stopped with all that it started', async () => {
    hooks = await makeHooksDirectory(lab, { timeoutSeconds: 1 });
    const hook = await hooks.add('before-mount', 'slow', `sleep 600 '' & sleep 600`);
    const answer = await kit('rescue', image, '--exec', 'true', '--json');
    expect(answer.exitCode).toBe(1);
    expect(answer.error().message).toContain(`${hook} failed: it did not end within 1 s`);
  });

  it.each(takeDownStages)('in %s does not keep anything up', async (stage) => {
    await hooks.add(stage, '10-fail', 'echo sorry; exit 1');
    const log = `${hooks.path}.log`;
    await hooks.add(stage, '20-next', `echo next >> ${log}`);
    const answer = await kit('rescue', image, '--exec', 'echo hello', '--json');
    expect(answer.exitCode).toBe(1);
    expect(answer.json(rescueDocumentSchema)).toMatchObject({
      exec: { stdout: 'hello\n' },
      cleanedUp: true,
      error: { code: 'HOOK_FAILED', message: expect.stringContaining('10-fail failed') },
    });
    expect(await lab.run('cat', log)).toBe('next');
    expect(await stateOf(await newest())).toBe('closed');
  });

  it('in after-boot ends the job, once', async () => {
    const log = `${hooks.path}.log`;
    await hooks.add('after-boot', 'fail', `echo run >> ${log}; exit 1`);
    const answer = await kit('rescue', image, '--exec', 'true', '--json');
    expect(answer.error()).toMatchObject({ code: 'HOOK_FAILED' });
    expect(await lab.run('cat', log)).toBe('run');
  });

  it('with 75 says that something is still up, and cleanup runs it again', async () => {
    const gate = `${hooks.path}.gate`;
    await hooks.add('before-deactivate', 'export', `test -e ${gate} || { echo busy; exit 75; }`);
    const answer = await kit('rescue', image, '--exec', 'true', '--json');
    expect(answer.exitCode).toBe(5);
    const id = await newest();
    expect(await stateOf(id)).toBe('left');
    const again = await kit('cleanup', id, '--json');
    expect(again.exitCode).toBe(5);
    expect(again.json(cleanupDocumentSchema).left).toMatchObject([
      { session: id, reason: expect.stringContaining('busy') },
    ]);
    await lab.host.files.writeText(gate, '', 0o600);
    expect((await kit('cleanup', id)).exitCode).toBe(0);
    expect(await stateOf(id)).toBe('closed');
  });
});

describe('a hook that others than root could have changed', () => {
  const unsafe: readonly (readonly [string, (hook: string) => Promise<unknown>, RegExp])[] = [
    ['is writable by others', (hook) => lab.run('chmod', 'o+w', hook), /may write to \S+50-mark/],
    ['is writable by its group', (hook) => lab.run('chmod', 'g+w', hook), /may write to/],
    ['belongs to another', (hook) => lab.run('chown', '1', hook), /belongs to user 1/],
    [
      'is in such a stage',
      (hook) => lab.run('chmod', '1777', dirname(hook)),
      /before-mount \(mode 01777\)/,
    ],
    ['is in such a hooks.d', () => lab.run('chmod', 'o+w', hooks.path), /hooks\.d \(mode/],
    [
      'is below such a directory',
      () => lab.run('chmod', 'o+w', `${hooks.path}/..`),
      /may write to/,
    ],
  ];

  it.each(unsafe)('because it %s is not run, and that is said', async (_, spoil, words) => {
    const mark = `${lab.directory}/mark`;
    const hook = await hooks.add('before-mount', '50-mark', `touch ${mark}`);
    await spoil(hook);
    const answer = await kit('rescue', image, '--ephemeral', '--exec', 'true', '--json');
    expect(answer.exitCode, answer.stderr).toBe(0);
    expect(answer.stderr.replaceAll(/\s+/g, ' ')).toContain(`${hook} is not run`);
    expect(await lab.host.files.status(mark)).toBeNull();
    const [run] = await hookRuns(answer.json(rescueDocumentSchema).session);
    expect(run).toMatchObject({ path: hook, exitCode: null });
    expect(run?.kind === 'hook' ? run.failure : '').toMatch(words);
  });

  it('because a link leads to a place of others is not run', async () => {
    const mark = `${lab.directory}/mark`;
    const place = (await lab.run('mktemp', '--directory', `${lab.directory}/open.XXXX`)).trim();
    await lab.host.files.writeText(`${place}/hook`, `#!/bin/sh\ntouch ${mark}\n`, 0o755);
    await lab.run('chmod', '0777', place);
    await hooks.add('before-mount', 'other', ':');
    await lab.run('ln', '-s', `${place}/hook`, `${hooks.path}/before-mount/link`);
    const answer = await kit('rescue', image, '--ephemeral', '--exec', 'true');
    expect(answer.exitCode).toBe(0);
    expect(answer.stderr.replaceAll(/\s+/g, ' ')).toContain('link is not run');
    expect(await lab.host.files.status(mark)).toBeNull();
  });
});

describe('hooks of a session that outlives its process', () => {
  it('run when cleanup takes a mount down', async () => {
    await hooks.addWitnesses();
    const answer = await kit('mount', image, '--read-only', '--json');
    const { session, root } = answer.json(mountDocumentSchema);
    expect((await hooks.toldStages()).at(-1)).toBe('after-mount');
    const before = (await hooks.told()).length;
    // cleanup is not told where the hooks are: the session knows.
    expect((await lab.kit(['cleanup', session])).exitCode).toBe(0);
    const told = (await hooks.told()).slice(before);
    expect(told.map(({ stage }) => stage)).toEqual(takeDownStages);
    expect(told[0]).toMatchObject({ session, root, mode: 'read-only', command: 'mount' });
    expect((await hookRuns(session)).map((run) => run.kind === 'hook' && run.stage)).toContain(
      'after-deactivate',
    );
  });

  it('run when cleanup takes down what kill -9 left, and a hook that ran is ended', async () => {
    await hooks.addWitnesses();
    await hooks.add('after-mount', '50-long', 'echo standing; sleep 600');
    const running = lab.start(['rescue', image, '--exec', 'true', ...hooks.words]);
    const stands = async () => (await hooks.toldStages()).includes('after-mount');
    expect(await waitUntil(stands, 20_000)).toBe(true);
    process.kill(running.pid, 'SIGKILL');
    await running.ended;
    const before = (await hooks.told()).length;
    const answer = await lab.kit(['cleanup', '--json']);
    expect(answer.json(cleanupDocumentSchema)).toMatchObject({ left: [], hookFailures: [] });
    expect((await hooks.told()).slice(before).map(({ stage }) => stage)).toEqual(takeDownStages);
  });

  it('are ended by Ctrl-C, and those that take down run', async () => {
    await hooks.addWitnesses();
    await hooks.add('before-boot', '50-long', 'sleep 600');
    const running = lab.start(['rescue', image, '--exec', 'true', ...hooks.words]);
    const stands = async () => (await hooks.toldStages()).includes('before-boot');
    expect(await waitUntil(stands, 20_000)).toBe(true);
    process.kill(running.pid, 'SIGINT');
    expect((await running.ended).exitCode).toBe(130);
    expect((await hooks.toldStages()).slice(-5)).toEqual(['after-boot', ...takeDownStages]);
  });
});

it('a daemon that a hook leaves does not keep the job waiting', async () => {
  const pid = `${lab.directory}/daemon`;
  const daemon = `env --unset=RESCUEKIT_SESSION setsid sh -c 'echo $$ > ${pid}; exec sleep 600' &`;
  await hooks.add('before-mount', 'daemon', daemon);
  await hooks.add('after-unmount', 'daemon', `kill "$(cat ${pid})"`);
  const began = performance.now();
  const answer = await kit('rescue', image, '--ephemeral', '--exec', 'true');
  expect(answer.exitCode, answer.stderr).toBe(0);
  expect(performance.now() - began).toBeLessThan(15_000);
});

it('a hook that prints while a task is drawn on a terminal is seen at once', async () => {
  const gate = `${hooks.path}.gate`;
  const wait = `until [ -e ${gate} ]; do sleep 0.1; done`;
  await hooks.add('after-activate', '50-say', `echo importing; ${wait}; echo imported`);
  const bundle = `${lab.directory}/bundle/rescuekit.mjs`;
  const words = ['--state-dir', lab.stateDirectory, ...hooks.words];
  const command = ['rescue', image, '--ephemeral', '--exec', 'true'];
  const terminal = openTerminal(process.execPath, [bundle, ...words, ...command], {
    columns: 80,
    rows: 24,
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm', LANG: 'C.UTF-8' },
  });
  await terminal.see('importing');
  await lab.host.files.writeText(gate, '', 0o600);
  await terminal.see('after-activate/50-say: imported');
  expect(await terminal.ended).toBe(0);
});
