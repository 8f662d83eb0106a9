import { describe, expect, it } from 'vitest';
import type { ContainerOptions } from './container-options.ts';
import { nspawnArguments } from './nspawn-arguments.ts';

const options: ContainerOptions = {
  root: '/run/rescuekit/1a2b/root',
  machine: 'rescuekit-1a2b',
  session: '1a2b',
  payload: { kind: 'systemd', unit: 'rescue.target' },
  network: { kind: 'none' },
  ports: [],
  resolvConf: 'off',
  privateUsers: false,
  binds: [],
  environment: [],
  memoryBytes: null,
  tasks: null,
  hostHasSystemd: false,
  console: 'interactive',
  verboseBoot: false,
};

const words = (change: Partial<ContainerOptions>) => nspawnArguments({ ...options, ...change });

describe('the words of the systemd-nspawn call', () => {
  it('keep nspawn from writing to the disk and the container from the network', () => {
    const plain = words({});
    for (const word of ['--resolv-conf=off', '--timezone=off', '--link-journal=no']) {
      expect(plain).toContain(word);
    }
    expect(plain).toContain('--private-network');
  });

  it('register the container with machinectl where systemd is PID 1, with limits on its scope', () => {
    const there = words({ hostHasSystemd: true, memoryBytes: 2 ** 29, tasks: 64 });
    expect(there).toContain('--register=yes');
    expect(there).toContain('--property=MemoryMax=536870912');
    expect(there).toContain('--property=TasksMax=64');
    expect(there).not.toContain('--keep-unit');
    expect(there).not.toContain('--drop-capability=CAP_MKNOD');
  });

  it('keep its caller’s unit elsewhere, and take away the right to make device nodes', () => {
    const here = words({ memoryBytes: 2 ** 29, tasks: 64 });
    expect(here).toContain('--register=no');
    expect(here).toContain('--keep-unit');
    expect(here).toContain('--drop-capability=CAP_MKNOD');
    expect(here.some((word) => word.startsWith('--property='))).toBe(false);
  });

  it.each([
    [{ kind: 'host' }, []],
    [{ kind: 'veth' }, ['--network-veth']],
    [{ kind: 'bridge', name: 'br0' }, ['--network-bridge=br0']],
    [{ kind: 'zone', name: 'z' }, ['--network-zone=z']],
  ] as const)('connect it as asked: %o', (network, expected) => {
    const found = words({ network }).filter((word) => /network/.test(word));
    expect(found).toEqual(expected);
  });

  it('map users by the mount and do not change owners on the disk', () => {
    const there = words({ hostHasSystemd: true, privateUsers: true });
    expect(there).toContain('--private-users=pick');
    expect(there).toContain('--private-users-ownership=map');
  });

  it('keep colons and backslashes of bound paths', () => {
    const bind = { source: '/a b:c\\d', destination: '/x', readOnly: true };
    expect(words({ binds: [bind] })).toContain('--bind-ro=/a b\\:c\\\\d:/x');
  });

  it('end the options before what runs inside', () => {
    const payload = { kind: 'program', words: ['/bin/sh', '--boot'] } as const;
    expect(words({ payload }).slice(-4)).toEqual(['--as-pid2', '--', '/bin/sh', '--boot']);
    expect(words({ payload: { kind: 'own-init', path: '/init' } }).slice(-2)).toEqual([
      '--',
      '/init',
    ]);
  });
});
