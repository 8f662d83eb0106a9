import { describe, expect, it } from 'vitest';
import { hostMachine } from '../host/capabilities.ts';
import { createHost, type Host } from '../host/host.ts';
import { requireRunnable } from './boot-plan.ts';

/** A machine whose binfmt_misc holds this entry for the foreign architecture. */
const hostWith = (entry: string | null): Host => {
  const host = createHost();
  return { ...host, files: { ...host.files, readText: async () => entry } };
};

const foreign = hostMachine() === 'aarch64' ? 'riscv64' : 'aarch64';
const needed = (entry: string | null) =>
  requireRunnable(hostWith(entry), { architecture: foreign });

describe('a system for another processor', () => {
  it('is refused without an emulator, with what to install', async () => {
    await expect(needed(null)).rejects.toMatchObject({
      code: 'FOREIGN_ARCHITECTURE',
      exit: 1,
      hint: expect.stringContaining('qemu-user-static'),
    });
  });

  it('is refused when the emulator would have to be found inside the container', async () => {
    await expect(needed('enabled\ninterpreter /usr/bin/qemu\nflags: OC\n')).rejects.toThrow();
    await expect(needed('disabled\ninterpreter /usr/bin/qemu\nflags: F\n')).rejects.toThrow();
  });

  it('runs through an emulator that the kernel has opened beforehand', async () => {
    await needed('enabled\ninterpreter /usr/bin/qemu\nflags: POF\n');
  });

  it('needs nothing when it is for this one, or when nobody knows', async () => {
    await requireRunnable(hostWith(null), { architecture: hostMachine() });
    await requireRunnable(hostWith(null), { architecture: null });
  });
});
