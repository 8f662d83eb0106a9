import { resolve } from 'node:path';
import type { Host } from '../../host/host.ts';
import { RescueError } from '../../host/rescue-error.ts';
import type { MachineDisk } from './machine-arguments.ts';
import type { VmDisk } from './vm-request.ts';

/** virtio-blk carries twenty bytes of a serial number, and QEMU's options end at a comma. */
const serialOf = ({ serial }: VmDisk, index: number): string => {
  const plain = (serial ?? '').replaceAll(/[^\w.-]/g, '').slice(0, 20);
  return plain === '' ? `rescuekit-${index + 1}` : plain;
};

const number = async (host: Host, question: string, path: string): Promise<number> => {
  const { stdout } = await host.run({
    program: 'blockdev',
    args: [question, path],
    changes: false,
  });
  return Number(stdout);
};

/** The overlay has the size of its base; QEMU rounds a file up to a whole sector as well. */
const sizeOf = async (
  host: Host,
  path: string,
): Promise<{ readonly bytes: number; readonly sectorBytes: number; readonly block: boolean }> => {
  const status = await host.files.statusFollowed(path);
  if (status?.kind === 'block') {
    const bytes = await number(host, '--getsize64', path);
    return { bytes, sectorBytes: await number(host, '--getss', path), block: true };
  }
  if (status?.kind !== 'file') {
    throw new RescueError({
      code: 'NO_DISK',
      message: `${path} is neither a block device nor an image file.`,
      hint: 'A virtual machine boots whole disks: name a disk or a raw image.',
    });
  }
  return { bytes: Math.ceil(status.sizeBytes / 512) * 512, sectorBytes: 512, block: false };
};

type Overlay = { readonly disk: MachineDisk; readonly create: readonly string[] };

const overlayFor = async (
  host: Host,
  disk: VmDisk,
  index: number,
  directory: string,
): Promise<Overlay> => {
  const { bytes, sectorBytes, block } = await sizeOf(host, disk.path);
  const overlay = `${directory}/disk${index}.qcow2`;
  return {
    disk: {
      // QEMU runs in another directory.
      base: resolve(disk.path),
      isBlockDevice: block,
      overlay,
      sectorBytes,
      serial: serialOf(disk, index),
    },
    create: ['create', '-q', '-f', 'qcow2', overlay, `${bytes}`],
  };
};

/** The overlays of these disks with the words for qemu-img, before any of them is made. */
export const planOverlays = (
  host: Host,
  disks: readonly VmDisk[],
  directory: string,
): Promise<readonly Overlay[]> =>
  Promise.all(disks.map((disk, index) => overlayFor(host, disk, index, directory)));

/**
 * Makes a throwaway overlay for each disk. The base is not named in it: which file lies below is
 * said when the machine is started, so nothing on the disk can pass for the name of another file.
 */
export const makeOverlays = async (
  host: Host,
  disks: readonly VmDisk[],
  directory: string,
): Promise<readonly MachineDisk[]> => {
  const overlays = await planOverlays(host, disks, directory);
  for (const { create } of overlays) {
    await host.run({ program: 'qemu-img', args: create, changes: false });
  }
  return overlays.map(({ disk }) => disk);
};
