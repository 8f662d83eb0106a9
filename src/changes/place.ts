import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { locateInside } from '../system-image/inside.ts';

/** Where an entry is or is to be; nothing in its directory part is a link. */
export type Place = {
  /** Path inside the system. */
  readonly path: string;
  readonly hostPath: string;
  readonly name: string;
  readonly directory: { readonly path: string; readonly hostPath: string };
};

const joined = (directory: string, name: string): string =>
  `${directory === '/' ? '' : directory}/${name}`;

/**
 * Finds the place of an entry inside a mounted root; links in its directory part are followed
 * inside.
 *
 * @throws RescueError `NO_PLACE` when the directory is not there, or the path names none.
 */
export const placeOf = async (host: Host, root: string, path: string): Promise<Place> => {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const name = parts.pop();
  // The root has a mode and an owner, too, and is in no directory of the system.
  if (name === undefined) return ofRoot(root);
  if (name === '..') throw noPlace(path, 'it names no entry');
  const parent = await locateInside(host.files, root, `/${parts.join('/')}`);
  if (parent?.status.kind !== 'directory') throw noPlace(path, 'its directory is missing');
  const directory = { path: parent.path, hostPath: parent.hostPath };
  return {
    path: joined(directory.path, name),
    hostPath: joined(directory.hostPath, name),
    name,
    directory,
  };
};

const ofRoot = (root: string): Place => ({
  path: '/',
  hostPath: root,
  name: '.',
  directory: { path: '/', hostPath: root },
});

const noPlace = (path: string, why: string): RescueError =>
  new RescueError({ code: 'NO_PLACE', message: `${path} cannot be changed: ${why}.` });
