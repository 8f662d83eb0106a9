import type { Host } from '../../host/host.ts';
import { coverDevice, makeStore } from '../cover.ts';
import type { LayerMode, Perform } from '../layer.ts';
import { attachFreeLoop } from '../loop.ts';
import { copyRange, gapBytes, hideFromUdev, privateView } from './cover-steps.ts';
import { coverLabel, coverName, type PvNode } from './group-instance.ts';
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

const coverPv = async (
  context: CoverContext,
  group: LvmGroup,
  { device }: PvNode,
  pv: LvmPv,
): Promise<string> => {
  const { host, perform, session, directory } = context;
  const node = `/dev/${device.name}`;
  if (context.mode === 'read-only') {
    const label = coverLabel(device);
    return coverDevice(host, perform, { device: node, session, directory, label });
  }
  const name = coverName(session, device);
  const file = `${directory}/lvm-${device.name}.copy`;
  const { data, tail } = tailOf(group, pv);
  const head = pv.dataStartBytes;
  await perform(makeStore(file, roundUp(gapBytes + head + tail)));
  await perform(copyRange(node, 0, head, file, gapBytes));
  if (pv.metadataAreas > 1) {
    await perform(copyRange(node, head + data, tail, file, gapBytes + head));
  }
  const copy = await attachFreeLoop(host, perform, file, 'read-write');
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
