import { posix } from 'node:path';
import type { Change } from '../../changes/change.ts';
import { hasCommand } from '../../diagnosis/boot-loader/menu-text.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import type { GrubPlaces } from './grub-places.ts';
import { commandLine, entryText, isPlainName, startable, tokenOf } from './kernel-install.ts';
import { inGrub, readDefaults } from './plain-grub-config.ts';

/** Where GRUB's `blscfg` looks. */
const directory = '/boot/loader/entries';

const isEntry = (path: string): boolean =>
  posix.dirname(path) === directory && path.endsWith('.conf');

/** Whether a menu holds nothing of its own and leaves it to `blscfg` to look for entries. */
const leavesItToEntries = (menu: string): boolean =>
  hasCommand(menu, 'blscfg') && !hasCommand(menu, 'linux\\w*');

const written = async (subject: Subject, places: GrubPlaces): Promise<readonly Change[]> => {
  const { devices, facts, files } = subject;
  const words = devices === null ? null : await commandLine(subject, devices);
  if (words === null) return [];
  const defaults = readDefaults((await files.read('/etc/default/grub')) ?? '');
  const more = (await files.isFilled('/etc/kernel/cmdline'))
    ? ''
    : (defaults.get('GRUB_CMDLINE_LINUX') ?? '');
  const options = `${words} ${more}`.trim();
  const token = await tokenOf(subject);
  // What lies on the EFI partition is none of GRUB's menu.
  const inBoot = facts.kernels.filter(({ image }) => posix.dirname(image) === '/boot');
  const entries = startable(inBoot, () => true).map(
    async ({ version, image, initramfs }): Promise<readonly Change[]> =>
      initramfs === null || !isPlainName(version)
        ? []
        : [
            {
              kind: 'write-file',
              path: `${directory}/${token}-${version}.conf`,
              content: await entryText(subject, version, {
                options,
                linux: inGrub(image, places),
                initrd: inGrub(initramfs, places),
              }),
              attributes: { mode: 0o644, uid: 0, gid: 0 },
            },
          ],
  );
  return (await Promise.all(entries)).flat();
};

/**
 * The entries that a menu with `blscfg` starts, where there are none: those that grub-mkconfig made
 * with it, else new ones for the newest kernels in /boot.
 *
 * @param made what grub-mkconfig changed.
 * @returns null when nothing can be started by it.
 */
export const entriesForMenu = async (
  subject: Subject,
  places: GrubPlaces,
  menu: string,
  made: readonly Change[],
): Promise<readonly Change[] | null> => {
  if (!leavesItToEntries(menu)) return [];
  const there = ((await subject.files.list(directory)) ?? []).map((name) => `${directory}/${name}`);
  if (there.some(isEntry)) return [];
  const own = made.filter((change) => 'path' in change && change.path.startsWith('/boot/loader'));
  if (own.some((change) => 'path' in change && isEntry(change.path))) return own;
  const entries = await written(subject, places);
  const missing = await Promise.all(
    [posix.dirname(directory), directory].map(
      async (path): Promise<readonly Change[]> =>
        (await subject.files.isDirectory(path)) === true
          ? []
          : [{ kind: 'make-directory', path, attributes: { mode: 0o755, uid: 0, gid: 0 } }],
    ),
  );
  return entries.length === 0 ? null : [...missing.flat(), ...entries];
};
