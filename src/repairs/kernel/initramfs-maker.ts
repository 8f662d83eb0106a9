import type { Change } from '../../changes/change.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import type { BenchCommand } from '../repair.ts';

/** How a system makes its initramfs, as commands for the workbench. */
export type InitramfsMaker = {
  readonly commands: (version: string, path: string) => readonly BenchCommand[];
  /** Put on the layer first, and nowhere else. */
  readonly prepare: readonly Change[];
};

/** Unpacking, compressing and copying some ten megabytes; slow where the processor is emulated. */
const timeoutSeconds = 600;

/**
 * The name sorts behind the system's own files: on the workbench there is no disk by which
 * `MODULES=dep` could choose, so everything that a root may need goes in.
 */
const allModules: Change = {
  kind: 'write-file',
  path: '/etc/initramfs-tools/conf.d/zzz-all-modules',
  content: 'MODULES=most\n',
  attributes: { mode: 0o644 },
};

/** The same for dracut, which otherwise takes in what the machine has on which it runs. */
const noHostOnly: Change = {
  kind: 'write-file',
  path: '/etc/dracut.conf.d/zzz-no-hostonly.conf',
  content: 'hostonly="no"\n',
  attributes: { mode: 0o644 },
};

/**
 * What is put on the layer, and nowhere else, before programs of the system run there that may make
 * an initramfs by themselves.
 */
export const forAnyMachine = async (files: SystemFiles): Promise<readonly Change[]> => {
  const [initramfsTools, dracut] = await Promise.all(
    ['/etc/initramfs-tools/conf.d', '/etc/dracut.conf.d'].map((path) => files.isDirectory(path)),
  );
  return [...(initramfsTools ? [allModules] : []), ...(dracut ? [noHostOnly] : [])];
};

const first = async (files: SystemFiles, paths: readonly string[]): Promise<string | null> => {
  const filled = await Promise.all(paths.map((path) => files.isFilled(path)));
  return paths.find((_, index) => filled[index] === true) ?? null;
};

/** The system's own program for it: initramfs-tools, else dracut; null when it has neither. */
export const findInitramfsMaker = async (files: SystemFiles): Promise<InitramfsMaker | null> => {
  const [update, make, dracut] = await Promise.all([
    first(files, ['/usr/sbin/update-initramfs', '/sbin/update-initramfs']),
    first(files, ['/usr/sbin/mkinitramfs', '/sbin/mkinitramfs']),
    first(files, ['/usr/bin/dracut', '/usr/sbin/dracut', '/sbin/dracut']),
  ]);
  if (update !== null && make !== null && (await files.isDirectory('/etc/initramfs-tools'))) {
    return {
      // update-initramfs also notes the file's sum, without which later updates leave it alone.
      commands: (version, path) => [
        path === `/boot/initrd.img-${version}`
          ? { words: [update, '-c', '-k', version], timeoutSeconds }
          : { words: [make, '-o', path, version], timeoutSeconds },
      ],
      prepare: [allModules],
    };
  }
  if (dracut === null) return null;
  return {
    commands: (version, path) => [
      {
        words: [dracut, '--force', '--no-hostonly', '--kver', version, path],
        timeoutSeconds,
      },
    ],
    prepare: [],
  };
};
