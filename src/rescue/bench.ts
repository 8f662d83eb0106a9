import { applyOnLayer } from '../changes/apply-on-layer.ts';
import type { Change } from '../changes/change.ts';
import { type Layer, layerChanges } from '../changes/layer-changes.ts';
import { inBytes } from '../changes/written-bytes.ts';
import type { Subject } from '../diagnosis/subject.ts';
import { overlayStep } from '../filesystems/mount-step.ts';
import type { BenchCommand, BenchResult } from '../repairs/repair.ts';
import { resolveInside } from '../system-image/inside.ts';
import { insideRunner } from './run-inside.ts';
import type { Session } from './session.ts';

/** overlayfs refuses a lower layer whose names fold case; such a part is copied instead. */
const needsCopy = new Set(['vfat', 'exfat']);

type Part = { readonly target: string; readonly fsType: string; readonly hostPath: string };

/** Everything that is mounted of the system, the root first; a directory is all one. */
const partsOf = async ({ host, root, mounts }: Subject): Promise<readonly Part[]> => {
  const others = mounts.filter(({ state, target }) => state === 'mount' && target !== '/');
  const found = await Promise.all(
    others.map(async ({ target, fsType }) => {
      const hostPath = await resolveInside(host.files, root, target);
      return hostPath === null ? [] : [{ target: hostPath.slice(root.length), fsType, hostPath }];
    }),
  );
  return [{ target: '/', fsType: 'any', hostPath: root }, ...found.flat()];
};

const ensure = async (session: Session, path: string): Promise<string> => {
  await session.host.files.ensureDirectory(path, 0o755);
  return path;
};

/** A small file system without an overlay: its files are copied, and the copy is bound in. */
const copyStep = (from: string, copy: string, path: string) => ({
  title: `Work on a copy of ${from}`,
  commands: [
    { program: 'cp', args: ['--archive', '--no-target-directory', from, copy], changes: false },
    { program: 'mount', args: ['--bind', copy, path] },
  ],
  why: 'The programs of the system work on a copy; nothing reaches the disk.',
  risk: 'none',
  undo: { kind: 'unmount' as const, path, source: null },
});

const layPart = async (
  session: Session,
  directory: string,
  { target, fsType, hostPath }: Part,
  number: number,
): Promise<Layer> => {
  const merged = target === '/' ? `${directory}/root` : `${directory}/root${target}`;
  const upper = `${directory}/${number}/upper`;
  if (target === '/') await ensure(session, merged);
  if (needsCopy.has(fsType)) {
    await ensure(session, `${directory}/${number}`);
    await session.perform(copyStep(hostPath, upper, merged));
  } else {
    await ensure(session, upper);
    const work = await ensure(session, `${directory}/${number}/work`);
    await session.perform(overlayStep({ lower: hostPath, upper, work, path: merged }));
  }
  return { lower: hostPath, upper, merged, target };
};

/**
 * A workbench: copy-on-write layers of all parts of a system, in the session's memory, where its own
 * programs may write. Each call begins with the system as it is then.
 */
export const openBench =
  (session: Session) =>
  async (
    subject: Subject,
    commands: readonly BenchCommand[],
    prepare: readonly Change[] = [],
  ): Promise<BenchResult> => {
    // No two layers of a session may share a directory.
    const number = session.mark();
    const directory = `${session.runDirectory}/bench/${number}`;
    const layers: Layer[] = [];
    for (const [index, part] of (await partsOf(subject)).entries()) {
      layers.push(await layPart(session, directory, part, index));
    }
    const root = `${directory}/root`;
    const prepared = new Set<string>();
    for (const change of prepare.map(inBytes)) {
      const path = await applyOnLayer(session.host, root, change, `${directory}/content`);
      if (path !== null) prepared.add(path);
    }
    const run = insideRunner(session, subject.facts, {
      root,
      writable: true,
      machine: `rescuekit-${session.id}-bench${number}`,
    });
    const results = [];
    for (const command of commands) {
      const result = (await run(command)) ?? cannotRun(command);
      results.push(result);
      if (result.exitCode !== 0) return { results, changes: [] };
    }
    const changes: Change[] = [];
    for (const layer of layers) changes.push(...(await layerChanges(session.host, layer)));
    return {
      results,
      changes: changes.filter((change) => !('path' in change) || !prepared.has(change.path)),
    };
  };

const cannotRun = ({ words }: BenchCommand) => ({
  exitCode: 127,
  stdout: '',
  stderr: `${words[0] ?? ''} cannot be started here`,
});
