import type { Host } from '../../host/host.ts';
import { RescueError } from '../../host/rescue-error.ts';
import type { LayerMode, Perform } from '../layer.ts';
import { attachLoop, freeLoopDevice } from '../loop.ts';
import {
  copyRange,
  gapBytes,
  hideFromUdev,
  makeSparse,
  privateView,
  snapshotCover,
} from './cover-steps.ts';
import { coverName, type PvNode } from './group-instance.ts';
import type { LvmGroup, LvmPv } from './report.ts';

/** What covering needs to know. */
export type CoverContext = {
  readonly host: Host;
  readonly perform: Perform;
  readonly session: string;
  /** Kept with the session, on disk. */
  readonly directory: string;
  readonly mode: LayerMode;
};

/** Of a store for what the kernel writes by itself; it holds holes until something is written. */
const largestStoreBytes = 16 * 2 ** 30;
/** The table of exceptions takes 16 bytes for each 4 KiB; this is more than that. */
const storeBytes = (pvBytes: number): number =>
  Math.min(Math.ceil(pvBytes / 64) + pvBytes + 16 * 2 ** 20, largestStoreBytes);

/** Behind the extents of a disk that has grown there may be any amount; a second area is there. */
const largestTailBytes = 2 ** 30;

const roundUp = (bytes: number): number => Math.ceil(bytes / 2 ** 20) * 2 ** 20;

const tailOf = (group: LvmGroup, pv: LvmPv): { readonly data: number; readonly tail: number } => {
  const data = pv.extents * group.extentBytes;
  return { data, tail: pv.sizeBytes - pv.dataStartBytes - data };
};

/** Why metadata of this physical volume cannot be copied, or null. */
export const uncopyable = (group: LvmGroup, pv: LvmPv): string | null => {
  const { tail } = tailOf(group, pv);
  const odd = [pv.dataStartBytes, group.extentBytes, pv.sizeBytes].some((size) => size % 512 !== 0);
  if (odd || pv.dataStartBytes < 4096 || tail < 0) {
    return 'the layout of its metadata is none that rescuekit knows';
  }
  return pv.metadataAreas > 1 && tail > largestTailBytes
    ? 'its second metadata area lies in too large a space to copy'
    : null;
};

const attachAttempts = 5;

/** Another program may take the device between the question and the answer: then the next one. */
const attachFile = async ({ host, perform }: CoverContext, file: string): Promise<string> => {
  for (let attempt = 1; ; attempt++) {
    const loop = await freeLoopDevice(host);
    try {
      await perform(attachLoop(loop, file, 'read-write'));
      return loop;
    } catch (error) {
      const failed = error instanceof RescueError && error.code === 'COMMAND_FAILED';
      if (!failed || attempt === attachAttempts) throw error;
    }
  }
};

const coverPv = async (
  context: CoverContext,
  group: LvmGroup,
  { device }: PvNode,
  pv: LvmPv,
): Promise<string> => {
  const { perform, session, directory } = context;
  const node = `/dev/${device.name}`;
  const name = coverName(session, device);
  const file = `${directory}/lvm-${device.name}.store`;
  if (context.mode === 'read-only') {
    await perform(makeSparse(file, roundUp(storeBytes(pv.sizeBytes))));
    const store = await attachFile(context, file);
    await perform(snapshotCover(name, node, pv.sizeBytes, store));
    return `/dev/mapper/${name}`;
  }
  const { data, tail } = tailOf(group, pv);
  const head = pv.dataStartBytes;
  await perform(makeSparse(file, roundUp(gapBytes + head + tail)));
  await perform(copyRange(node, 0, head, file, gapBytes));
  if (pv.metadataAreas > 1) {
    await perform(copyRange(node, head + data, tail, file, gapBytes + head));
  }
  const copy = await attachFile(context, file);
  const parts = { device: node, copy, headBytes: head, dataBytes: data, tailBytes: tail };
  await perform(privateView(name, parts));
  return `/dev/mapper/${name}`;
};

/**
 * Gives each physical volume of a group a private view to which LVM and the kernel may write without
 * a byte of its metadata being changed: in read-only mode a copy-on-write layer over the whole,
 * otherwise its real extents between copies of its metadata areas.
 *
 * @returns the nodes that LVM is to be shown in place of the physical volumes.
 */
export const coverGroup = async (
  context: CoverContext,
  group: LvmGroup,
  nodes: readonly PvNode[],
): Promise<readonly string[]> => {
  // Without udevd nobody activates anything.
  const hasUdev = (await context.host.files.status('/run/udev/control')) !== null;
  const open = nodes.filter(({ cover }) => cover === null);
  if (hasUdev && open.length > 0) await context.perform(hideFromUdev(context.session));
  const views: string[] = [];
  for (const node of nodes) {
    const pv = group.pvs.find(({ majorMinor }) => majorMinor === node.device.majorMinor);
    const covered = node.cover === null && pv !== undefined;
    views.push(
      covered
        ? await coverPv(context, group, node, pv)
        : `/dev/${(node.cover ?? node.device).name}`,
    );
  }
  return views;
};
