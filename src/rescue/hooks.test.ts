import { describe, expect, it } from 'vitest';
import { fakeHost } from '../../fixtures/fake-host.ts';
import type { FileStatus, Files } from '../host/files.ts';
import { listHooks, whyUntrusted } from '../host/hook-files.ts';
import type { HookCommand, HookRecord } from '../host/run-hook.ts';
import { type HookFacts, hookEnvironment, hookInputSchema, hookStages } from './hook-input.ts';
import { stagesBetween } from './hook-phases.ts';
import { failureText, hookFailed, refusalText } from './hook-words.ts';
import { runStage } from './hooks.ts';

type Entry = Partial<FileStatus> & { readonly link?: string };

const plain: FileStatus = {
  kind: 'directory',
  sizeBytes: 0,
  mode: 0o755,
  uid: 0,
  gid: 0,
  dev: 1,
  ino: 1,
  rdev: 0,
};

/** Directories and files by path; every directory above is root's alone. */
const made = (entries: Readonly<Record<string, Entry>>): Files => {
  const status = async (path: string): Promise<FileStatus | null> => {
    const entry = entries[path];
    if (entry !== undefined) return { ...plain, kind: entry.link ? 'symlink' : 'file', ...entry };
    const isAbove = Object.keys(entries).some((name) => name.startsWith(`${path}/`));
    return path === '/' || isAbove ? plain : null;
  };
  return {
    ...fakeHost(() => null).files,
    status,
    statusFollowed: async (path) => status(entries[path]?.link ?? path),
    readLink: async (path) => entries[path]?.link ?? null,
    list: async (directory) =>
      Object.keys(entries)
        .filter((path) => path.startsWith(`${directory}/`))
        .map((path) => path.slice(directory.length + 1)),
  };
};

const hook = '/etc/rescuekit/hooks.d/before-mount/50-a';
const ok: Entry = { mode: 0o755 };

describe('whyUntrusted', () => {
  it('trusts a file that only root could have put there', async () => {
    expect(await whyUntrusted(hook, made({ [hook]: ok }))).toBeNull();
  });

  it.each([
    ['the file', hook],
    ['its stage', '/etc/rescuekit/hooks.d/before-mount'],
    ['the directory of all hooks', '/etc/rescuekit/hooks.d'],
    ['a directory above', '/etc'],
  ])('tells when others may write to %s', async (_, path) => {
    const kind = path === hook ? 'file' : 'directory';
    const files = made({ [hook]: ok, [path]: { kind, mode: 0o775 } });
    expect(await whyUntrusted(hook, files)).toBe(
      `others than root may write to ${path} (mode 0775)`,
    );
  });

  it('tells when something on the way belongs to another', async () => {
    const files = made({ [hook]: ok, '/etc/rescuekit': { kind: 'directory', uid: 1000 } });
    expect(await whyUntrusted(hook, files)).toMatch(/\/etc\/rescuekit belongs to user 1000/);
  });

  it('takes a sticky directory above for safe, and not that of a stage', async () => {
    const sticky: Entry = { kind: 'directory', mode: 0o1777 };
    expect(
      await whyUntrusted('/tmp/a/hooks.d/s/h', made({ '/tmp/a/hooks.d/s/h': ok, '/tmp': sticky })),
    ).toBeNull();
    expect(await whyUntrusted('/a/s/h', made({ '/a/s/h': ok, '/a/s': sticky }))).toMatch(/\/a\/s /);
  });

  it('follows links, absolute and relative, and looks at where they lead', async () => {
    const open: Entry = { kind: 'directory', mode: 0o777 };
    const absolute = made({ [hook]: { link: '/opt/hooks/a' }, '/opt/hooks/a': ok, '/opt': open });
    expect(await whyUntrusted(hook, absolute)).toMatch(/write to \/opt /);
    const target = '/etc/rescuekit/hooks.d/shared';
    const relative = made({ [hook]: { link: '../shared' }, [target]: ok });
    expect(await whyUntrusted(hook, relative)).toBeNull();
    const others = made({ [hook]: { link: '../shared' }, [target]: { uid: 5 } });
    expect(await whyUntrusted(hook, others)).toBe(`${target} belongs to user 5 and not to root`);
  });

  it('gives up on links in a circle', async () => {
    expect(await whyUntrusted(hook, made({ [hook]: { link: hook } }))).toMatch(/loop of links/);
  });
});

describe('listHooks', () => {
  it('sorts by bytes, and passes over what run-parts passes over', async () => {
    const names = ['b', '9', '10', 'B', 'é', 'b~', '.b', 'b.bak', 'b.dpkg-new', 'b.rpmorig'];
    const entries = Object.fromEntries(names.map((name) => [`/h/${name}`, ok]));
    const files = made({ ...entries, '/h/text': { mode: 0o644 }, '/h/d': { kind: 'directory' } });
    expect(await listHooks(files, '/h')).toEqual(['/h/10', '/h/9', '/h/B', '/h/b', '/h/é']);
  });
});

const facts: HookFacts = {
  session: 'ab12',
  command: 'rescue',
  target: '/dev/vdb',
  mode: 'ephemeral',
  root: null,
  devices: ['/dev/vdb', '/dev/vdb1'],
  mounts: [],
  system: { name: 'Debian \u001b[31m12', hostname: null },
  hookDirectory: '/s/hooks',
  runDirectory: '/run/rescuekit/ab12',
};

const record = (hookCommand: HookCommand, failure: string | null): HookRecord => ({
  stage: hookCommand.stage,
  path: hookCommand.path,
  startedAt: new Date(0),
  milliseconds: 1,
  exitCode: failure === null ? 0 : 1,
  failure,
  refused: false,
  output: ['first', 'last words'],
});

describe('runStage', () => {
  const files = made({ '/h/after-boot/1': ok, '/h/after-boot/2': ok });
  const state = { directory: '/h', timeoutSeconds: 7, facts };

  const run = async (onFailure: 'stop' | 'go-on') => {
    const ran: HookCommand[] = [];
    const host = {
      ...fakeHost(() => null),
      files,
      runHook: async (one: HookCommand) => {
        ran.push(one);
        return record(one, 'it ended with exit code 1');
      },
    };
    await runStage(host, state, { stage: 'after-boot', outcome: 'done', onFailure });
    return ran;
  };

  it('stops at the first that fails, or goes on where things are taken down', async () => {
    expect((await run('stop')).map(({ path }) => path)).toEqual(['/h/after-boot/1']);
    expect(await run('go-on')).toHaveLength(2);
  });

  it('tells the same on standard input and in the environment', async () => {
    const [first] = await run('stop');
    const input = hookInputSchema.parse(JSON.parse(first?.input ?? ''));
    expect(input).toEqual({ schemaVersion: 1, stage: 'after-boot', outcome: 'done', ...facts });
    expect(first?.timeoutSeconds).toBe(7);
    expect(first?.env).toEqual(hookEnvironment(input));
    expect(first?.env).toMatchObject({
      RESCUEKIT_SESSION: 'ab12',
      RESCUEKIT_STAGE: 'after-boot',
      RESCUEKIT_MODE: 'ephemeral',
      RESCUEKIT_ROOT: '',
      RESCUEKIT_DEVICES: '/dev/vdb /dev/vdb1',
      RESCUEKIT_SYSTEM: 'Debian 12',
    });
  });
});

describe('the words about a hook', () => {
  const command = { stage: 'before-mount', path: hook, env: {}, input: '', timeoutSeconds: 1 };

  it('name it, how it ended, and what it said last', () => {
    const failed = record(command, 'it ended with exit code 3');
    const text = `Hook ${hook} failed: it ended with exit code 3: last words`;
    expect(failureText(failed)).toBe(text);
    expect(hookFailed(failed)).toMatchObject({ code: 'HOOK_FAILED', exit: 1, message: `${text}.` });
  });

  it('say why one is not run, and what to do', () => {
    const refused = { ...record(command, '/etc belongs to user 5 and not to root'), refused: true };
    expect(refusalText(refused)).toContain(`${hook} is not run: /etc belongs to user 5`);
    expect(refusalText(refused)).toContain('chown root');
  });
});

it('each stage has its counterpart, and they come in one order', () => {
  expect(stagesBetween('before-mount', 'after-mount')).toEqual(['before-mount', 'after-mount']);
  expect(stagesBetween('before-probe', 'after-deactivate')).toEqual(hookStages);
  const phases = hookStages.map((stage) => stage.split('-')[1]);
  expect(hookStages.map((stage) => stage.split('-')[0])).toEqual(
    phases.map((_, index) => (index % 2 === 0 ? 'before' : 'after')),
  );
});
