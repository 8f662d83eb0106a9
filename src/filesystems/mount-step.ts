import type { Step } from '../host/step.ts';
import { btrfsOptions } from './btrfs-options.ts';
import type { BtrfsParts } from './file-system.ts';
import { fileSystemFor } from './registry.ts';

export type MountRequest = {
  readonly device: string;
  readonly fsType: string;
  /** Host directory; exists, and no link is part of it. */
  readonly path: string;
  /** `look` writes nothing at all to the device, journal and log included. */
  readonly mode: 'look' | 'write';
  /** `subvol=…` and the like. */
  readonly select: readonly string[];
  /** Set-user-id programs of the system work only in its container, never on the host. */
  readonly setuid: boolean;
  /** Of a btrfs over several devices: which, and whether one is missing (btrfs(5)). */
  readonly btrfs?: Omit<BtrfsParts, 'copies'>;
};

/** Device nodes of the disk never mean a device of this machine. */
const hostOptions = (setuid: boolean): readonly string[] => [
  'nodev',
  ...(setuid ? [] : ['nosuid']),
];

const mountOptions = (request: MountRequest): readonly string[] => {
  const { fsType, mode, select, setuid } = request;
  const fileSystem = fileSystemFor(fsType);
  const own =
    mode === 'look'
      ? (fileSystem?.lookOptions ?? ['ro'])
      : ['rw', ...(fileSystem?.writeOptions ?? [])];
  return [...own, ...hostOptions(setuid), ...btrfsOptions(request.btrfs), ...select];
};

/** The step that mounts one file system of the target. */
export const mountStep = (request: MountRequest): Step => ({
  title: `Mount ${request.device} at ${request.path}`,
  commands: [
    {
      program: 'mount',
      args: [
        '--types',
        request.fsType,
        '--options',
        mountOptions(request).join(','),
        request.device,
        request.path,
      ],
    },
  ],
  why:
    request.mode === 'look'
      ? 'To see what is on it. Journal and log are left as they are.'
      : 'The system needs its file systems in the place that its fstab gives them.',
  risk:
    request.mode === 'look'
      ? 'none: nothing is written'
      : 'the file system is written: its journal is replayed, as on any boot',
  // The kernel names as the source whichever of several devices it likes.
  undo: {
    kind: 'unmount',
    path: request.path,
    source: request.btrfs === undefined ? request.device : null,
  },
});

/** The step that lays a throwaway layer in memory over a read-only file system. */
export const overlayStep = (request: {
  readonly lower: string;
  readonly upper: string;
  readonly work: string;
  readonly path: string;
}): Step => ({
  title: `Lay a throwaway layer over ${request.lower}`,
  commands: [
    {
      program: 'mount',
      args: [
        '--types',
        'overlay',
        '--options',
        `lowerdir=${request.lower},upperdir=${request.upper},workdir=${request.work},nodev`,
        'rescuekit-overlay',
        request.path,
      ],
    },
  ],
  why: 'What the system writes goes into memory and is gone afterwards.',
  risk: 'none for the disk: it stays as it is',
  undo: { kind: 'unmount', path: request.path, source: 'rescuekit-overlay' },
});

/** The step that shows a directory tree in a second, private place. */
export const bindStep = (source: string, path: string, readOnly: boolean): Step => ({
  title: `Show ${source} at ${path}`,
  commands: [
    {
      program: 'mount',
      args: ['--bind', '--options', readOnly ? 'bind,ro,nodev' : 'bind,nodev', source, path],
    },
  ],
  why: 'The container gets a place of its own for the tree.',
  risk: readOnly ? 'none' : 'changes made inside stay in the directory',
  undo: { kind: 'unmount', path, source: null },
});
