import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { leanDisk } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { cleanupDocumentSchema } from './cleanup.ts';
import { mountDocumentSchema } from './mount.ts';
import { rescueDocumentSchema } from './rescue.ts';
import { statusDocumentSchema } from './status.ts';

let lab: Lab;
let image = '';

beforeAll(async () => {
  lab = await openLab();
  image = (await leanDisk(lab, 'separate')).file;
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const mount = async (...options: string[]) => {
  const answer = await lab.kit(['mount', image, ...options, '--json']);
  expect(answer.exitCode, answer.stderr).toBe(0);
  return answer.json(mountDocumentSchema);
};

const modeOf = async (path: string): Promise<string> =>
  (await lab.run('stat', '--format=%a %U', path)).trim();

it('keeps a mounted system up until cleanup, and what is written there', async () => {
  const { root, session, mounts } = await mount();
  expect(mounts.map(({ target }) => target)).toEqual(['/', '/var', '/boot']);
  for (const place of ['', '/var', '/boot']) {
    await lab.host.files.writeText(`${root}${place}/from-the-host`, 'kept\n', 0o644);
  }
  const { sessions } = (await lab.kit(['status', '--json'])).json(statusDocumentSchema);
  expect(sessions).toMatchObject([{ id: session, command: 'mount', target: image, state: 'up' }]);
  expect(sessions[0]?.holds.some((what) => what.startsWith('loop device /dev/loop'))).toBe(true);
  const shown = await lab.kit(['status']);
  expect(shown.stdout).toContain(session);
  const cleaned = (await lab.kit(['cleanup', session, '--json'])).json(cleanupDocumentSchema);
  expect(cleaned.left).toEqual([]);
  expect((await lab.kit(['status'])).stdout).toContain('No session is up.');

  const second = await mount();
  const text = await lab.run(
    'cat',
    `${second.root}/from-the-host`,
    `${second.root}/var/from-the-host`,
    `${second.root}/boot/from-the-host`,
  );
  expect(text).toBe('kept\nkept\nkept');
  expect((await lab.kit(['cleanup', second.session])).exitCode).toBe(0);
});

it('lets nobody else of this machine into what is mounted', async () => {
  const { root, session } = await mount();
  await lab.run('chmod', '0755', lab.directory);
  const directory = `${lab.stateDirectory}/run/${session}`;
  const own = [lab.stateDirectory, `${lab.stateDirectory}/run`, directory];
  const sessionDirectory = `${lab.stateDirectory}/sessions/${session}`;
  for (const path of [...own.slice(1), sessionDirectory]) {
    expect(await modeOf(path), path).toBe('700 root');
  }
  const through = ['--reuid=65534', '--regid=65534', '--clear-groups', 'ls', root];
  const other = await lab.host.run({ program: 'setpriv', args: through, accept: [0, 2] });
  expect(other.exitCode).toBe(2);
  expect(other.stderr).toContain('Permission denied');
  const options = await lab.run('findmnt', '-no', 'OPTIONS', root);
  expect(options.split(',')).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
  expect((await lab.kit(['cleanup', session])).exitCode).toBe(0);
});

it('lets nothing be written below a read-only mount, remounted or not', async () => {
  const before = await lab.sum(image);
  const { root, session } = await mount('--read-only');
  for (const place of ['', '/var', '/boot']) {
    const written = await lab.host.run({
      program: 'touch',
      args: [`${root}${place}/written`],
      accept: [0, 1],
    });
    expect(written.exitCode).toBe(1);
    const words = ['-o', 'remount,rw', `${root}${place}`];
    expect((await lab.host.run({ program: 'mount', args: words, accept: [0, 32] })).exitCode).toBe(
      32,
    );
  }
  expect((await lab.kit(['cleanup', session])).exitCode).toBe(0);
  expect(await lab.sum(image)).toBe(before);
});

it('shows a dry run of each command, and does nothing', async () => {
  const before = await lab.sum(image);
  for (const words of [['mount'], ['check', '--repair'], ['rescue', '--exec', 'true']]) {
    const [command = '', ...rest] = words;
    const shown = await lab.kit([command, image, ...rest, '--dry-run']);
    expect(shown.exitCode, shown.stderr).toBe(0);
    expect(shown.stdout).toMatch(/mount --types ext4|e2fsck/);
  }
  expect(await lab.sum(image)).toBe(before);
});

it('records a session as text and as a script for sh, without what is secret', async () => {
  const secret = 'hunter2-in-the-environment';
  const words = ['rescue', image, '--exec', 'echo done', '--setenv', `TOKEN=${secret}`, '--json'];
  const answer = await lab.kit(words);
  expect(answer.exitCode, answer.stderr).toBe(0);
  const { session } = answer.json(rescueDocumentSchema);
  const text = await lab.kit(['status', '--transcript', session]);
  expect(text.stdout).toMatch(/\$ mount --types ext4 .*\n {4}exit 0, [\d.]+ ms/);
  expect(text.stdout).toContain('systemd-nspawn');
  expect(text.stdout).not.toContain(secret);
  const script = await lab.kit(['status', '--transcript', session, '--format', 'script']);
  expect(script.stdout).toMatch(/^#!\/bin\/sh\n/);
  expect(script.stdout).not.toContain(secret);
  const file = `${lab.directory}/transcript.sh`;
  await lab.host.files.writeText(file, script.stdout, 0o600);
  await lab.run('sh', '-n', file);
  const known = await lab.run('sh', '-c', 'grep -c "^umount " "$0"', file);
  expect(Number(known)).toBeGreaterThan(3);
  const kept = await lab.host.run({
    program: 'grep',
    args: ['-rl', secret, `${lab.stateDirectory}/sessions`],
    accept: [0, 1],
  });
  expect(kept.stdout).toBe('');
});
