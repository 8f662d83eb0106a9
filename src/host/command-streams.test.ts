import { describe, expect, it } from 'vitest';
import { createHost } from './host.ts';

const host = createHost();

/** Runs a shell line and collects what arrives while it runs. */
const collect = async (script: string, extra: { progressFd?: true; keepOutput?: false }) => {
  const seen: string[] = [];
  const result = await host.run({
    program: 'sh',
    args: ['-c', script],
    onLine: (line, stream) => seen.push(`${stream}: ${line}`),
    ...extra,
  });
  return { seen, result };
};

describe('streams of a command', () => {
  it('delivers lines of descriptor 3 as progress, apart from the output', async () => {
    const { seen, result } = await collect("echo out; printf '1 2 3\\r1 3 3\\n' >&3", {
      progressFd: true,
    });
    expect(seen).toEqual(
      expect.arrayContaining(['stdout: out', 'progress: 1 2 3', 'progress: 1 3 3']),
    );
    expect(result.stdout).toBe('out');
  });

  it('does not stop a process whose progress nobody listens to', async () => {
    const result = await host.run({
      program: 'sh',
      args: ['-c', 'head -c 300000 /dev/zero >&3; echo done'],
      progressFd: true,
    });
    expect(result.stdout).toBe('done');
  });

  it('keeps nothing of an output without bound, yet delivers each line of it', async () => {
    const { seen, result } = await collect('seq 100000; echo end >&2', { keepOutput: false });
    expect(seen).toHaveLength(100_001);
    expect(seen).toContain('stdout: 100000');
    expect(result).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('still hands the input to a process that has a progress pipe', async () => {
    const result = await host.run({
      program: 'cat',
      args: [],
      input: 'secret',
      progressFd: true,
    });
    expect(result.stdout).toBe('secret');
  });
});
