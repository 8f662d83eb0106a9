import { describe, expect, it } from 'vitest';
import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { checkResult, orResult } from './check-result.ts';
import type { CheckContext } from './file-system.ts';
import { fileSystemFor, skippedResult } from './registry.ts';

const device = '/dev/vdb1';

const refuse = async (): Promise<never> => {
  throw new Error('nothing may run here');
};

const context: CheckContext = {
  host: { run: refuse, now: () => new Date(0) } as unknown as Host,
  device,
  fsType: 'squashfs',
  scratchDirectory: '/nowhere',
  onProgress: () => {},
};

describe('file systems', () => {
  it.each([
    ['ext2', 'ro'],
    ['ext3', 'ro,noload'],
    ['ext4', 'ro,noload'],
    ['xfs', 'ro,norecovery,nouuid'],
    ['btrfs', 'ro,rescue=nologreplay'],
    ['vfat', 'ro'],
    ['squashfs', 'ro'],
  ])('look at %s with %s, which replays nothing', (type, options) => {
    expect(fileSystemFor(type)?.lookOptions.join(',')).toBe(options);
  });

  it.each(['ext4', 'xfs', 'btrfs', 'vfat'])('plan a check of %s that names the device', (type) => {
    const commands = fileSystemFor(type)?.checkCommands(device) ?? [];
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.every((words) => words.includes(device))).toBe(true);
  });

  it('never plan a last resort', () => {
    for (const type of ['ext4', 'xfs', 'btrfs', 'vfat']) {
      const words = (fileSystemFor(type)?.repairCommands(device) ?? []).flat();
      expect(words).not.toContain('-L');
      expect(words).not.toContain('--repair');
      expect(words).not.toContain('-b');
    }
  });

  it('check read-only media by saying that there is nothing to check', async () => {
    expect(await fileSystemFor('squashfs')?.check(context)).toMatchObject({ outcome: 'skipped' });
  });

  it.each(['swap', 'crypto_LUKS', 'LVM2_member', 'linux_raid_member', 'ntfs', 'newfs'])(
    'leave %s alone with a sentence',
    (type) => {
      expect(fileSystemFor(type)).toBeNull();
      expect(skippedResult(device, type)).toMatchObject({ outcome: 'skipped', fsType: type });
      expect(skippedResult(device, type).detail).toMatch(/^[A-Za-z].*\.$/);
    },
  );

  it('leave a device without any file system alone with a sentence', () => {
    expect(skippedResult(device, null)).toMatchObject({ outcome: 'skipped', fsType: 'unknown' });
  });
});

describe('check results', () => {
  it('carry at most 20 lines of evidence without control characters', () => {
    const evidence = Array.from({ length: 30 }, (_, line) => `\u001b[2J\u009b${line}\u202e`);
    const result = checkResult(context, 'damaged', 'x', { evidence: ['', ...evidence] });
    expect(result.evidence).toHaveLength(20);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
    expect(result.evidence.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it('take a crashed checker for no verdict, but pass an interruption on', async () => {
    const fail = (code: string) => async () => {
      throw new RescueError({ code, message: 'xfs_repair was ended by SIGSEGV' });
    };
    const fallback = (words: string) => checkResult(context, 'skipped', words);
    expect(await orResult(fail('COMMAND_FAILED'), fallback)).toMatchObject({
      outcome: 'skipped',
      detail: 'xfs_repair was ended by SIGSEGV',
    });
    await expect(orResult(fail('INTERRUPTED'), fallback)).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });
});
