import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { leftOutUnits } from './left-out-units.ts';
import { watchScript } from './watch-script.ts';
import { watchUnits } from './watch-units.ts';

it.each(['default.target', 'a@b.service', "it's.target"])('is understood by sh for %s', (unit) => {
  const input = watchScript({ unit, limitSeconds: 5, mark: 'rescuekit-mark' });
  execFileSync('sh', ['-n'], { input });
});

const pathsOf = (unit: string, leftOut: readonly string[]): readonly string[] =>
  watchUnits(unit, leftOut).map(({ path }) => path);

it('comes with the wanted unit and with each target that systemd may fall back to', () => {
  const paths = pathsOf('default.target', []).join('\n');
  for (const target of ['default', 'rescue', 'emergency']) {
    expect(paths).toContain(`/run/systemd/system/${target}.target.d/rescuekit.conf`);
  }
});

it('writes each drop-in once', () => {
  const paths = pathsOf('rescue.target', leftOutUnits([]));
  expect(new Set(paths).size).toBe(paths.length);
});

it('leaves out the mounts of fstab that need a network, and no others', () => {
  const entry = (target: string, fsType: string, options: readonly string[]) => ({
    ...{ line: 1, spec: 'x', target, fsType, options, dump: 0, pass: 0 },
  });
  const fstab = [
    entry('/', 'ext4', []),
    entry('/srv/a', 'nfs4', []),
    entry('/srv/b', 'fuse.sshfs', []),
    entry('/srv/c', 'ext4', ['_netdev']),
    entry('/srv/d', 'xfs', ['defaults']),
  ];
  const mounts = leftOutUnits(fstab).filter((name) => name.endsWith('.mount'));
  expect(mounts).toEqual(['srv-a.mount', 'srv-b.mount', 'srv-c.mount']);
});
