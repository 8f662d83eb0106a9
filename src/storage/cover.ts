import { kernelName } from '../devices/kernel-name.ts';
import type { Host } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import type { Step } from '../host/step.ts';
import type { Perform } from './layer.ts';
import { attachFreeLoop } from './loop.ts';

/** Size of a block device in sectors of 512 bytes, whatever its own sectors are (sysfs(5)). */
export const sectorsOf = async (host: Host, device: string): Promise<number> => {
  const node = (await host.files.realPath(device)) ?? device;
  const sectors = Number(await host.files.readText(`/sys/class/block/${kernelName(node)}/size`));
  if (Number.isInteger(sectors) && sectors > 0) return sectors;
  throw new RescueError({ code: 'VANISHED', message: `${device} is gone or empty.` });
};

/** What is written to a covered device goes into this file; it holds only what was written. */
export const makeStore = (file: string, bytes: number): Step => ({
  title: `Make ${file}, a sparse file for what is written`,
  commands: [{ program: 'truncate', args: [`--size=${bytes}`, file] }],
  why: 'The disk itself stays as it is.',
  risk: 'none: it takes space on this machine as it fills',
  undo: { kind: 'remove-file', path: file },
});

/**
 * The words that lay a layer over a device; `N` keeps nothing, `P` lets what was written be read from
 * the store afterwards, `8` is 4 KiB a piece.
 */
export const coverArgs = (
  name: string,
  uuid: string,
  device: string,
  sectors: number | string,
  store: string,
  keep: 'N' | 'P' = 'N',
): readonly string[] => [
  'create',
  name,
  '--uuid',
  uuid,
  '--table',
  `0 ${sectors} snapshot ${device} ${store} ${keep} 8`,
];

export type CoverRequest = {
  /** Device that must not be written. */
  readonly device: string;
  readonly session: string;
  /** The session's directory on disk: there the store lies. */
  readonly directory: string;
  /** Tells the cover from others of the session; part of its name. */
  readonly label: string;
};

/** Node that the cover of a device has. */
export const coverNode = ({ session, label }: Pick<CoverRequest, 'session' | 'label'>): string =>
  `/dev/mapper/rescuekit-${session}-${label}`;

/**
 * Lays a device-mapper snapshot over a device: it can be written, and not one byte reaches the
 * device (kernel document device-mapper/snapshot). The store is a sparse file on a loop device in
 * the session's directory; all of it goes with the session.
 *
 * @returns the node to be used in place of the device.
 * @throws RescueError `COMMAND_FAILED` where the kernel has no device-mapper.
 */
export const coverDevice = async (
  host: Host,
  perform: Perform,
  request: CoverRequest,
): Promise<string> => {
  const { device, session, directory, label } = request;
  const sectors = await sectorsOf(host, device);
  const node = coverNode(request);
  const name = kernelName(node);
  const uuid = `RESCUEKIT-${session}-${label}`;
  const file = `${directory}/cover-${label}`;
  await perform(makeStore(file, sectors * 512));
  const loop = await attachFreeLoop(host, perform, file, 'read-write');
  await perform({
    title: `Lay a throwaway layer over ${device}`,
    commands: [{ program: 'dmsetup', args: coverArgs(name, uuid, device, sectors, loop) }],
    why: 'It can then be changed for this session, and the disk stays as it is.',
    risk: 'none for the disk',
    undo: { kind: 'remove-mapping', name, uuid },
  });
  return node;
};
