import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import { locateInside } from '../system-image/inside.ts';
import type { EntryChange } from './entry-commands.ts';

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

/**
 * The place that a change is meant for. Contents and attributes are those of the file that a link
 * leads to, as the system itself would follow it: chmod(1) follows links as well, but from the rescue
 * host's root, and a file put in the link's place would leave the real one as it is.
 *
 * @throws RescueError `NO_PLACE`, also for attributes of a link that leads to nothing of the system.
 */
export const placeOfChange = async (
  host: Host,
  root: string,
  { kind, path }: Pick<EntryChange, 'kind' | 'path'>,
): Promise<Place> => {
  const place = await placeOf(host, root, path);
  if (kind !== 'write-file' && kind !== 'set-attributes') return place;
  if ((await host.files.status(place.hostPath))?.kind !== 'symlink') return place;
  const meant = await locateInside(host.files, root, place.path);
  const isMeant =
    meant?.status.kind === 'file' ||
    (kind === 'set-attributes' && meant?.status.kind === 'directory');
  if (meant !== null && isMeant) return placeOf(host, root, meant.path);
  if (kind === 'set-attributes') throw noPlace(path, 'it is a link that leads to no file of it');
  // A file takes the place of a link that leads nowhere.
  return place;
};

/** Whether a place is on the root's own file system, and not on one that is mounted below it. */
export const isOnRoot = async (
  { files }: Host,
  root: string,
  { directory }: Place,
): Promise<boolean> => {
  const [top, here] = await Promise.all([
    files.statusFollowed(root),
    files.status(directory.hostPath),
  ]);
  return top?.dev === here?.dev;
};

const ofRoot = (root: string): Place => ({
  path: '/',
  hostPath: root,
  name: '.',
  directory: { path: '/', hostPath: root },
});

const noPlace = (path: string, why: string): RescueError =>
  new RescueError({ code: 'NO_PLACE', message: `${path} cannot be changed: ${why}.` });
