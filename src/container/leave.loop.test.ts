import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { leanDisk, withMounted } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { keys, openTerminal, type TestTerminal } from '../../fixtures/terminal.ts';

let lab: Lab;
let image = '';

beforeAll(async () => {
  lab = await openLab();
  image = (await leanDisk(lab, 'whole')).file;
});
/** A shell that a failed test has left open ends here, as by a closed window. */
const opened = new Set<TestTerminal>();

afterEach(async () => {
  for (const terminal of opened) terminal.hangUp();
  await Promise.all([...opened].map((terminal) => terminal.ended));
  opened.clear();
  await lab.expectAsBefore();
});
afterAll(() => lab.close());

const prompt = /[#$] $/;

const open = async (
  file: string,
  options: readonly string[] = ['--ephemeral'],
): Promise<TestTerminal> => {
  const bundle = `${lab.directory}/bundle/rescuekit.mjs`;
  const state = ['--state-dir', lab.stateDirectory];
  const words = [...state, 'rescue', file, '--yes', '--skip-check', ...options];
  const env = { PATH: process.env.PATH ?? '', TERM: 'xterm', HOME: '/root' };
  const terminal = openTerminal(process.execPath, [bundle, ...words], {
    columns: 80,
    rows: 24,
    env,
  });
  opened.add(terminal);
  await terminal.see('You are root on');
  await terminal.see(prompt);
  return terminal;
};

/** Milliseconds from the key to the end; the time after which a person thinks that it hangs. */
const tooLong = 5000;

const endsSoon = async (terminal: TestTerminal, pressed: string): Promise<void> => {
  const began = performance.now();
  terminal.press(pressed);
  expect(await terminal.ended, terminal.text()).toBe(0);
  opened.delete(terminal);
  expect(performance.now() - began).toBeLessThan(tooLong);
};

describe('the rescue shell', () => {
  it.each([
    ['exit', 'exit\r'],
    ['Ctrl-D', keys.controlD],
    ['^]^]^]', '\u001d\u001d\u001d'],
    ['poweroff', 'poweroff\r'],
    ['halt', 'halt\r'],
    ['systemctl poweroff', 'systemctl poweroff\r'],
  ])('ends at once with %s', async (_, pressed) => {
    await endsSoon(await open(image), pressed);
  });

  it('does not hang on a poweroff that is typed right at the prompt, ten times', async () => {
    for (let time = 0; time < 10; time++) await endsSoon(await open(image), 'poweroff\r');
  });

  it('comes again after a reboot', async () => {
    const terminal = await open(image);
    terminal.press('reboot\r');
    await terminal.see('You are root on');
    await terminal.see(prompt);
    await endsSoon(terminal, 'exit\r');
  });

  it('comes again without a login when one goes on to the default target', async () => {
    const terminal = await open(image);
    terminal.press('systemctl default\r');
    await terminal.see('You are root on');
    await terminal.see(prompt);
    terminal.press('systemctl is-active multi-user.target\r');
    await terminal.see(/^active$/m);
    await endsSoon(terminal, 'exit\r');
  });

  it('comes in another unit, too, with the variables of --setenv', async () => {
    const options = ['--ephemeral', '--target', 'multi-user.target', '--setenv', 'A=b c'];
    const terminal = await open(image, options);
    terminal.press('echo "[$A]"\r');
    await terminal.see('[b c]');
    await endsSoon(terminal, 'exit\r');
  });
});

const passwd = (shell: string): string =>
  `root:x:0:0:root:/root:${shell}\nnobody:x:65534:65534::/:/usr/sbin/nologin\n`;

/** Names and unit files that speak of rescuekit; the journal may, it tells what was booted. */
const traces = 'find "$0" -xdev -name "*rescuekit*"; grep -rls rescuekit "$0/etc" "$0/run" || true';

describe('the rescue shell of a root account', () => {
  it.each([
    ['that is locked with *', 'root:*:19000:0:99999:7:::', '/bin/bash'],
    ['that is locked with !', 'root:!:19000:0:99999:7:::', '/bin/bash'],
    ['whose password nobody knows', 'root:$6$x$unknown:19000:0:99999:7:::', '/bin/bash'],
    ['without a password line', '', '/bin/bash'],
    ['whose shell is nologin', 'root:*:19000:0:99999:7:::', '/usr/sbin/nologin'],
    ['whose shell is missing', 'root:*:19000:0:99999:7:::', '/bin/none'],
  ])('%s works without /root, and nothing about it stays on the disk', async (_, shadow, shell) => {
    const disk = await leanDisk(lab, 'whole', { name: 'account' });
    await withMounted(lab, disk, '/', async (path) => {
      await lab.host.files.writeText(`${path}/etc/shadow`, `${shadow}\n`, 0o640);
      await lab.host.files.writeText(`${path}/etc/passwd`, passwd(shell), 0o644);
      await lab.run('rm', '-rf', `${path}/root`);
    });
    const terminal = await open(disk.file, []);
    terminal.press('echo user $(id -u)\r');
    await terminal.see(/^user 0$/m);
    await endsSoon(terminal, 'exit\r');
    await withMounted(lab, disk, '/', async (path) => {
      const found = await lab.run('sh', '-c', traces, path);
      expect(found).toBe('');
      // The system's own systemd-sysusers may add the accounts that the test has taken away.
      const root = await lab.run(
        'sh',
        '-c',
        'cat "$0/etc/shadow" "$0/etc/passwd" | grep ^root:',
        path,
      );
      expect(root).toBe([shadow, `root:x:0:0:root:/root:${shell}`].filter(Boolean).join('\n'));
    });
  });
});
