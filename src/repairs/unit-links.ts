import type { Change } from '../changes/change.ts';
import { firstInside } from '../system-image/inside.ts';
import type { SystemFiles } from '../system-image/system-files.ts';
import { administratorUnits } from '../system-image/systemd-units.ts';

const own = administratorUnits;

/** What `systemctl unmask` takes away. */
export const unmaskUnit = (unit: string): Change => ({ kind: 'remove', path: `${own}/${unit}` });

const targetsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^(WantedBy|RequiredBy)=(.+)$/gm)].flatMap(([, kind, names = '']) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => `${name}.${kind === 'WantedBy' ? 'wants' : 'requires'}`),
  );

/**
 * What `systemctl enable` does: the links that the unit's [Install] section asks for. Empty when
 * the unit is not on the disk or asks for none.
 */
export const enableUnit = async (files: SystemFiles, unit: string): Promise<readonly Change[]> => {
  const places = ['/usr/lib/systemd/system', '/lib/systemd/system', own];
  const path = await firstInside(
    places.map((place) => `${place}/${unit}`),
    (each) => files.isFilled(each),
  );
  if (path === null) return [];
  const directories = targetsOf((await files.read(path)) ?? '').map((name) => `${own}/${name}`);
  const changes = await Promise.all(
    directories.map(async (directory): Promise<readonly Change[]> => {
      const attributes = { mode: 0o755, uid: 0, gid: 0 };
      const link = `${directory}/${unit}`;
      // Masking leaves the links, and where they lead is the same by more than one path.
      if ((await files.entry(link)) !== null) return [];
      const there = await files.isDirectory(directory);
      return [
        ...(there ? [] : [{ kind: 'make-directory', path: directory, attributes } as const]),
        { kind: 'make-link', path: link, to: path },
      ];
    }),
  );
  return changes.flat();
};
