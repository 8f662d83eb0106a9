import type { Device } from '../devices/device.ts';
import { arrayNode } from './mdadm-conf.ts';
import type { ArrayLine } from './system-facts.ts';
import { candidatesAmong, type Node } from './target-devices.ts';

const byId = '/dev/disk/by-id/';

const linksOf = (device: Device, prefix: string): readonly string[] =>
  device.aliases.flatMap((alias) =>
    alias.startsWith(`${byId}${prefix}`) ? [alias.slice(byId.length + prefix.length)] : [],
  );

/** UUIDs of the array that a device is, as mdadm writes them. */
const uuidsOf = (device: Device): readonly string[] =>
  [...linksOf(device, 'md-uuid-'), ...(device.stack?.layer === 'md' ? [device.stack.uuid] : [])]
    .flatMap((uuid) => uuid ?? [])
    .map((uuid) => uuid.replace(/[^0-9a-f]/gi, '').toLowerCase());

/**
 * Names that the array's own metadata give it. Its kernel node is none of them: mdadm counts from
 * md127 downward on each machine anew.
 */
const namesOf = (device: Device): ReadonlySet<string> => {
  const names = [...linksOf(device, 'md-name-')].flatMap((name) => [
    name,
    name.slice(name.indexOf(':') + 1),
  ]);
  const aliases = device.aliases.filter((alias) => /^\/dev\/md(?:\/|\d+$)/.test(alias));
  return new Set([...aliases, ...names].map(arrayNode));
};

const matchesLine = (device: Device, line: ArrayLine): boolean => {
  if (line.uuid !== null) return uuidsOf(device).includes(line.uuid.replaceAll(':', ''));
  const names = namesOf(device);
  if (line.name !== null) {
    const own = line.name.slice(line.name.indexOf(':') + 1);
    return names.has(arrayNode(line.name)) || names.has(arrayNode(own));
  }
  return line.superMinor !== null && names.has(`/dev/md${line.superMinor}`);
};

/** `/dev/md0p2` is partition 2 of `/dev/md0`, and `/dev/md/data2` may be partition 2 of `data`. */
const readings = (
  path: string,
): readonly { readonly node: string; readonly number: number | null }[] => {
  const whole = { node: arrayNode(path), number: null };
  const [, base, number] = /^(.*\dp|.*[^\d])(\d+)$/s.exec(path) ?? [];
  const array = base?.replace(/(\d)p$/, '$1') ?? '';
  const isKernelName = /^\/dev\/md$|^\/dev\/md\/$/.test(array);
  return number === undefined || isKernelName
    ? [whole]
    : [whole, { node: arrayNode(array), number: Number(number) }];
};

const partitionOf = (node: Node, number: number | null): readonly Node[] => {
  if (number === null) return [node];
  return node.device.children
    .filter(({ partition }) => partition?.number === number)
    .map((device) => ({ ...node, device, ancestors: [...node.ancestors, node.device] }));
};

export type FoundArray = {
  readonly nodes: readonly Node[];
  /** The line of mdadm.conf that settles the name, whether or not its array is attached. */
  readonly line: ArrayLine | null;
};

/**
 * What a name under /dev/md means to a system: what its mdadm.conf says, else the names that the
 * arrays themselves carry.
 */
export const findArray = (
  path: string,
  devices: readonly Device[],
  lines: readonly ArrayLine[],
): FoundArray => {
  for (const { node, number } of readings(path)) {
    const line =
      lines.find(
        ({ device, uuid, name, superMinor }) =>
          device === node && (uuid ?? name ?? superMinor) !== null,
      ) ?? null;
    const nodes = candidatesAmong(
      devices,
      (device) =>
        device.kind === 'raid' &&
        (line === null ? namesOf(device).has(node) : matchesLine(device, line)),
    ).flatMap((found) => partitionOf(found, number));
    if (nodes.length > 0 || line !== null) return { nodes, line };
  }
  return { nodes: [], line: null };
};
