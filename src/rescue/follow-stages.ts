import type { Proof } from '../verification/proof.ts';
import type { VmProgress } from '../verification/vm/vm-request.ts';
import type { Observer } from './observer.ts';

const stageWords: Readonly<Record<VmProgress['stage'], string>> = {
  firmware: 'firmware started',
  'boot-loader': 'boot loader reached',
  kernel: 'kernel started',
  initramfs: 'initramfs started',
  'root-mounted': 'root mounted',
  'default-target': 'default target reached',
  login: 'login prompt reached',
};

const words = ({ start, firmware, stage, seconds }: VmProgress): string => {
  const how = `${firmware === 'uefi' ? 'UEFI' : 'BIOS'}${start === 'kernel' ? ', own kernel' : ''}`;
  return `${how}: ${stageWords[stage]} after ${seconds.toFixed(1)} s`;
};

/**
 * Shows each stage as it is passed, as a task of its own that ends with it.
 *
 * @param boot starts the boot and gives its verdict; it calls back for each stage.
 * @throws what the boot throws.
 */
export const followStages = async (
  observer: Observer,
  boot: (onStage: (progress: VmProgress) => void) => Promise<Proof>,
): Promise<Proof> => {
  const passed: VmProgress[] = [];
  let wake = Promise.withResolvers<void>();
  const done = boot((progress) => {
    passed.push(progress);
    wake.resolve();
  });
  const ended = done.then(() => {});
  // Awaited by the next stage; until then it is no unhandled rejection.
  ended.catch(() => {});
  const next = async (): Promise<VmProgress | null> => {
    if (passed.length === 0) await Promise.race([wake.promise, ended]);
    wake = Promise.withResolvers<void>();
    return passed.shift() ?? null;
  };
  const show = (): Promise<VmProgress | null> =>
    observer.task('Boot in a virtual machine', next, (stage) =>
      stage === null ? 'Watched the boot in a virtual machine' : words(stage),
    );
  while ((await show()) !== null);
  return done;
};
