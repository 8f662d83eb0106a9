import { mountStep, overlayStep } from '../filesystems/mount-step.ts';
import { selectOptions } from './mount-plan.ts';
import { canBeLower, layerAt, memoryLayers, type SystemMode } from './mount-system.ts';
import type { FoundSystem } from './survey.ts';

/** The mount commands of a system as they are shown beforehand; `root` is a session's. */
export const mountLines = (
  system: FoundSystem,
  mode: SystemMode,
  root: string,
): readonly (readonly string[])[] =>
  system.mounts.flatMap((mount, number) => {
    if (mount.state !== 'mount' || mount.device === null) return [];
    const path = mount.target === '/' ? root : `${root}${mount.target}`;
    const layered = mode === 'ephemeral' && canBeLower(mount.fsType);
    const run = root.slice(0, root.lastIndexOf('/'));
    const lower = `${run}/lower/${number}`;
    const step = mountStep({
      device: mount.device,
      fsType: mount.fsType,
      path: layered ? lower : path,
      mode: mode === 'write' ? 'write' : 'look',
      select: selectOptions(mount),
      setuid: true,
      ...(mount.btrfs === undefined ? {} : { btrfs: mount.btrfs }),
    });
    const steps = layered
      ? [step, overlayStep({ lower, ...layerAt(memoryLayers(run), number), path })]
      : [step];
    return steps.flatMap(({ commands }) => commands).map(({ program, args }) => [program, ...args]);
  });
