import type { Space } from '../../host/files.ts';
import type { Subject } from '../subject.ts';

/** A file system of the system, by the place where it is mounted. */
export type Place = {
  readonly target: string;
  /** Host directory without links below the root. */
  readonly hostPath: string;
  readonly space: Space;
};

/**
 * The file systems of a system that can be judged: the root, and what is mounted below it. A layer over
 * the disk shows the room of the layer, and so says nothing.
 */
export const spacePlaces = async (subject: Subject): Promise<readonly Place[]> => {
  const mounted = subject.mounts.filter(({ state, target }) => state === 'mount' && target !== '/');
  const targets = ['/', ...new Set(mounted.map(({ target }) => target))];
  const rootDev = (await subject.files.status('/'))?.dev ?? null;
  const places = await Promise.all(
    targets.map(async (target): Promise<readonly Place[]> => {
      const found = await subject.files.locate(target);
      if (found?.status.kind !== 'directory') return [];
      if (target !== '/' && found.status.dev === rootDev) return [];
      const space = await subject.host.files.space(found.hostPath);
      return [{ target, hostPath: found.hostPath, space }];
    }),
  );
  return places.flat();
};
