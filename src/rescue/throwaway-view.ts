import { bindStep, overlayStep } from '../filesystems/mount-step.ts';
import { resolveInside } from '../system-image/inside.ts';
import { canBeLower, type MountedSystem } from './mount-system.ts';
import type { Session } from './session.ts';

type Part = { readonly path: string; readonly inside: string; readonly layered: boolean };

/** Everything that is mounted of a system, by where it is here, the root first. */
const partsOf = async (session: Session, { root, mounted }: MountedSystem) => {
  const others = mounted.filter(({ target }) => target !== '/');
  const found = await Promise.all(
    others.map(async ({ target, fsType }): Promise<readonly Part[]> => {
      const path = await resolveInside(session.host.files, root, target);
      const layered = canBeLower(fsType);
      return path === null ? [] : [{ path, inside: path.slice(root.length), layered }];
    }),
  );
  return [{ path: root, inside: '', layered: true }, ...found.flat()];
};

/**
 * Shows a mounted system once more, so that it can be booted and nothing of the boot stays: a watched
 * boot writes its journal and its machine id, and these are not what the person has tried.
 */
export const throwawayView = async (
  session: Session,
  mounted: MountedSystem,
): Promise<MountedSystem> => {
  const base = `${session.runDirectory}/proof`;
  const root = `${base}/root`;
  const { files } = session.host;
  for (const [number, part] of (await partsOf(session, mounted)).entries()) {
    const path = `${root}${part.inside}`;
    if (number === 0) await files.ensureDirectory(path, 0o755);
    if (!part.layered) {
      await session.perform(bindStep(part.path, path, true));
      continue;
    }
    const [upper, work] = [`${base}/${number}/upper`, `${base}/${number}/work`];
    for (const directory of [upper, work]) await files.ensureDirectory(directory, 0o755);
    await session.perform(overlayStep({ lower: part.path, upper, work, path }));
  }
  return { ...mounted, root, apart: [] };
};
