import { flattenDevice } from '../devices/device.ts';
import { isReadOnly, writeProtect } from '../storage/write-protect.ts';
import type { AttachedTarget } from './attach.ts';
import { volumesOf } from './btrfs-volumes.ts';
import type { Session } from './session.ts';

/**
 * Makes the kernel refuse every write to what was named, until the returned function is called: a
 * walk looks first and asks later, and may still write with the same session once it was told to.
 */
export const holdStill = async (
  session: Session,
  { disk, named, stack }: AttachedTarget,
): Promise<() => Promise<void>> => {
  const paths = [
    ...[disk, ...flattenDevice(named)].flatMap(({ path }) => path ?? []),
    ...volumesOf(stack.opened).flatMap(({ members }) => members),
  ];
  const steps: number[] = [];
  for (const path of new Set(paths)) {
    // A device that is read-only already stays so afterwards.
    if (!(await isReadOnly(session.host, path))) {
      steps.push(await session.perform(writeProtect(path)));
    }
  }
  return async () => {
    for (const step of steps.reverse()) await session.takeDown(step);
    steps.length = 0;
  };
};

export type StillHolder = {
  /** Makes the kernel refuse every write to the device from here on. */
  readonly protect: (path: string) => Promise<void>;
  /** Lets all of them go; nothing may be mounted from them any more. */
  readonly release: () => Promise<void>;
};

/** The same for devices that come one by one, and perhaps more than once at the same time. */
export const stillHolder = (session: Session): StillHolder => {
  const steps = new Map<string, Promise<number | null>>();
  const hold = async (path: string): Promise<number | null> =>
    (await isReadOnly(session.host, path)) ? null : session.perform(writeProtect(path));
  return {
    protect: async (path) => {
      const step = steps.get(path) ?? hold(path);
      steps.set(path, step);
      await step;
    },
    release: async () => {
      for (const step of await Promise.allSettled(steps.values())) {
        if (step.status === 'fulfilled' && step.value !== null) await session.takeDown(step.value);
      }
    },
  };
};
