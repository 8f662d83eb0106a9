import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { debianTree, debianTrees } from '../../fixtures/base-tree.ts';
import { rearRootfs } from '../../fixtures/rear-rootfs.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { openTerminal } from '../../fixtures/terminal.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';
import { hasBinfmt, hostMachine } from '../host/capabilities.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const rescue = async (tree: string, ...words: readonly string[]) =>
  (await lab.kit(['rescue', tree, '--ephemeral', '--json', ...words])).json(rescueDocumentSchema);

describe.each(['sysvinit', 'openrc', 'busybox'] as const)('a tree with %s as init', (name) => {
  it('runs the command without any init of its own', async () => {
    const tree = await debianTree(lab.host, debianTrees[name]);
    const { exec, reachedTarget } = await rescue(
      tree,
      '--exec',
      'id -u; echo "$A"',
      '--setenv',
      'A=b',
    );
    expect(exec).toMatchObject({ exitCode: 0, stdout: '0\nb\n' });
    expect(reachedTarget).toBeNull();
  });

  it('boots its own init with --own-init, and ends with ^]^]^]', async () => {
    const tree = await debianTree(lab.host, debianTrees[name]);
    const bundle = `${lab.directory}/bundle/rescuekit.mjs`;
    const words = ['--state-dir', lab.stateDirectory, 'rescue', tree, '--ephemeral', '--own-init'];
    const env = { PATH: process.env.PATH ?? '', TERM: 'xterm', HOME: '/root' };
    const size = { columns: 80, rows: 24 };
    const terminal = openTerminal(process.execPath, [bundle, ...words, '--yes'], { ...size, env });
    try {
      // busybox's own inittab says nothing and waits; the others tell what they start.
      await terminal.see(name === 'busybox' ? /Mounted the directory/ : /INIT: |login: |OpenRC/);
      if (name === 'busybox') {
        const isUp = async () =>
          (await lab.state()).processes.some((row) => row.includes('/sbin/init'));
        await expect.poll(isUp, { timeout: 10_000 }).toBe(true);
      }
      terminal.press('\u001d\u001d\u001d');
      expect(await terminal.ended, terminal.text()).toBe(0);
    } finally {
      terminal.hangUp();
    }
  });
});

describe('a rescue image that rear has made', () => {
  it('boots and runs the command, though it has no systemctl to be asked', async () => {
    const tree = await rearRootfs(lab.host);
    const { boot, exec, error } = await rescue(
      tree,
      '--exec',
      'test -d /usr/share/rear && echo rear',
    );
    expect(exec, boot.console.join('\n')).toMatchObject({ exitCode: 0, stdout: 'rear\n' });
    expect(error).toBeNull();
    expect(boot.console.join('\n')).toContain('rescue.target');
  });
});

describe('a tree of another architecture', () => {
  it('runs where the kernel has an emulator for it, and is refused where not', async () => {
    const tree = await debianTree(lab.host, debianTrees.arm64);
    const answer = await lab.kit(['rescue', tree, '--ephemeral', '--json', '--exec', 'uname -m']);
    if (hostMachine() === 'aarch64' || (await hasBinfmt(lab.host, 'aarch64'))) {
      expect(answer.json(rescueDocumentSchema).exec?.stdout).toBe('aarch64\n');
      return;
    }
    expect([answer.exitCode, answer.error().code]).toEqual([1, 'FOREIGN_ARCHITECTURE']);
  });
});

describe('a directory as target', () => {
  it('is refused when it is the root of this machine, by any name', async () => {
    await lab.run('ln', '-s', '/', `${lab.directory}/link`);
    for (const path of ['/', `${lab.directory}/link`, '/usr/..']) {
      const answer = await lab.kit(['rescue', path, '--json', '--exec', 'true']);
      expect([answer.exitCode, answer.error().code]).toEqual([4, 'PROTECTED']);
    }
  });
});
