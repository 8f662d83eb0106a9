import { expect, it } from 'vitest';
import { parsedReport, watchedBoot } from '../../fixtures/watched-boot.ts';
import { judgeContainerBoot } from '../verification/container/judge.ts';
import type { VmProgress } from '../verification/vm/vm-request.ts';
import { followStages } from './follow-stages.ts';
import type { Observer } from './observer.ts';

const proof = judgeContainerBoot(watchedBoot(parsedReport('healthy-262')));

const listener = () => {
  const shown: string[] = [];
  const observer: Observer = {
    task: async (title, work, done) => {
      try {
        const result = await work(() => {});
        shown.push(done?.(result) ?? title);
        return result;
      } catch (error) {
        shown.push(`failed: ${title}`);
        throw error;
      }
    },
    pause: (ask) => ask(),
    warn: () => {},
    note: () => {},
  };
  return { shown, observer };
};

const at = (stage: VmProgress['stage'], seconds: number, start: VmProgress['start'] = 'disk') =>
  ({ start, firmware: 'bios', stage, seconds }) as const;

it('shows every stage with its time, also those that come at once, and gives the verdict', async () => {
  const { shown, observer } = listener();
  const result = await followStages(observer, async (onStage) => {
    onStage(at('firmware', 1));
    onStage(at('boot-loader', 2.5));
    await Promise.resolve();
    onStage(at('kernel', 3, 'kernel'));
    return proof;
  });
  expect(result).toBe(proof);
  expect(shown).toEqual([
    'BIOS: firmware started after 1.0 s',
    'BIOS: boot loader reached after 2.5 s',
    'BIOS, own kernel: kernel started after 3.0 s',
    'Watched the boot in a virtual machine',
  ]);
});

it('fails with what the boot fails with, whenever that is', async () => {
  const { shown, observer } = listener();
  const boot = async (onStage: (progress: VmProgress) => void) => {
    onStage(at('firmware', 1));
    throw new Error('no room');
  };
  await expect(followStages(observer, boot)).rejects.toThrow('no room');
  expect(shown).toEqual([
    'BIOS: firmware started after 1.0 s',
    'failed: Boot in a virtual machine',
  ]);
});
