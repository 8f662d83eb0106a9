import { type Mapping, readMappings } from '../../devices/mappings.ts';
import { requirePrograms } from '../../host/capabilities.ts';
import type { Host } from '../../host/host.ts';
import type { Layer, LayerContext, Opening, Perform } from '../layer.ts';
import { isReadOnly, writeProtect } from '../write-protect.ts';
import {
  type Activation,
  activate,
  activationCommand,
  foreignSettings,
  requireActive,
} from './activation.ts';
import { coverGroup } from './cover.ts';
import {
  type GroupInstance,
  instancesOf,
  nodesOf,
  type PvNode,
  readingSets,
  shownDevice,
} from './group-instance.ts';
import { lvmCommand } from './lvm-command.ts';
import { isOfGroup, mapperName, sessionGroupName, volumeNames } from './names.ts';
import { describeGroup, isBehind, type Part, partsOf, privateReason } from './plan.ts';
import { readGroups } from './report.ts';
import { waitForActivation } from './settle.ts';
import { type Presence, presenceOf } from './taken.ts';
import { checkersOf, usableVolumes, writesWhenActive } from './volumes.ts';

/** How a group is opened: under which name, and on what LVM is shown. */
type Way = {
  readonly instance: GroupInstance;
  readonly presence: Presence;
  readonly name: string;
  /** Its metadata are changed for the session, in a private view. */
  readonly change: 'none' | 'import' | 'rename';
  readonly covered: boolean;
};

const nodePath = (node: PvNode): string => `/dev/${shownDevice(node).name}`;

/** The call that changes name or state of the group in the private view. */
const changeCommand = ({ instance, name, change }: Way, devices: readonly string[]) => {
  const scope = { devices, settings: foreignSettings(instance.group) };
  if (change === 'import') return lvmCommand('vgimport', scope, [name]);
  const exported = instance.group.exported ? ['--import'] : [];
  return lvmCommand('vgimportclone', scope, [...exported, '--basevgname', name, ...devices]);
};

const activationOf = (
  { instance, presence, name, covered }: Way,
  { volumes, mode }: Part,
  access: LayerContext['mode'],
  devices: readonly string[],
): Activation => {
  const { group, missing } = instance;
  return {
    name,
    volumes,
    whole:
      missing.length === 0 &&
      presence.active.size === 0 &&
      volumes.length === usableVolumes(group).length,
    mode,
    // What is written stays in the private view; a pool with read-only metadata cannot be used.
    access: covered ? 'read-write' : access,
    scope: { devices, settings: foreignSettings(group) },
    before: [...presence.active],
  };
};

const protectAll = async (host: Host, perform: Perform, nodes: readonly PvNode[]) => {
  for (const { device } of nodes) {
    const node = `/dev/${device.name}`;
    if (!(await isReadOnly(host, node))) await perform(writeProtect(node));
  }
};

const openPart = async (
  context: LayerContext,
  way: Way,
  part: Part,
  perform: Perform,
): Promise<void> => {
  const { host, mode } = context;
  const { group, nodes } = way.instance;
  await requirePrograms(host, checkersOf(group));
  if (mode === 'read-only') await protectAll(host, perform, nodes);
  const devices = way.covered
    ? await coverGroup({ ...context, perform }, group, nodes)
    : nodes.map(nodePath);
  if (way.change !== 'none') {
    await perform({
      title: `Give the group ${group.name} the name ${way.name} for this session`,
      commands: [changeCommand(way, devices)],
      why: 'Its own name cannot be used on this machine now; the disk keeps it.',
      risk: 'none: the change goes to a copy of the metadata',
      undo: null,
    });
  }
  const activation = activationOf(way, part, mode, devices);
  await perform(activate(activation));
  await requireActive(host, activation);
};

const planned = (way: Way, part: Part, mode: LayerContext['mode']) => {
  const views = way.instance.nodes.map((node) =>
    way.covered ? `VIEW_OF_${node.device.name}` : nodePath(node),
  );
  const change = way.change === 'none' ? [] : [changeCommand(way, views)];
  const commands = [...change, activationCommand(activationOf(way, part, mode, views))];
  return commands.map(({ program, args }) => [program, ...args]);
};

const aliasesOf = ({ instance: { group }, name, change }: Way, { volumes }: Part) =>
  change !== 'rename'
    ? {}
    : Object.fromEntries(
        volumes.map((volume) => [
          `/dev/mapper/${mapperName(name, volume.name)}`,
          volumeNames(group, volume),
        ]),
      );

const openingOf = (context: LayerContext, way: Way, part: Part): Opening => {
  const { group, nodes } = way.instance;
  const volumes = part.volumes.map(({ uuid }) => uuid).join(' ');
  const devices = nodes.map(({ device }) => device.path ?? `/dev/${device.name}`);
  const opens = part.need.kind !== 'impossible';
  const renamed = opens && way.change === 'rename' ? `, kept apart as ${way.name}` : '';
  return {
    key: `lvm ${group.uuid} ${devices.join(' ')} ${part.rank} ${volumes}`,
    layer: 'lvm',
    what: `${describeGroup(way.instance)}${renamed}`,
    devices,
    rank: part.rank,
    need: part.need,
    commands: (mode) => planned(way, part, mode),
    open: (perform) => openPart(context, way, part, perform),
    aliases: aliasesOf(way, part),
  };
};

/** udev was quicker than the look at the devices: nothing is to be done but to look again. */
const lookAgain = ({ group, nodes }: GroupInstance): Opening => ({
  key: `lvm ${group.uuid} look again`,
  layer: 'lvm',
  what: `the volume group ${group.name}, which this machine has activated by itself`,
  devices: nodes.map(({ device }) => device.path ?? `/dev/${device.name}`),
  rank: 0,
  need: { kind: 'nothing' },
  commands: () => [],
  open: async () => {},
  aliases: {},
});

const wayOf = (
  context: LayerContext,
  instance: GroupInstance,
  mappings: readonly Mapping[],
  reserved: ReadonlySet<string>,
): { readonly way: Way; readonly reason: string | null } => {
  const { group, nodes } = instance;
  const presence = presenceOf(instance, mappings, context);
  const reason = privateReason(instance, presence, reserved.has(group.name));
  const isTaken = (name: string) =>
    reserved.has(name) || mappings.some((mapping) => isOfGroup(mapping.name, name));
  const renames = presence.takenBy.length > 0 || reserved.has(group.name);
  const names = group.lvs.map(({ name }) => name);
  const covered = nodes.some(({ cover }) => cover !== null);
  const writes = context.mode === 'read-only' && writesWhenActive(group);
  return {
    reason,
    way: {
      instance,
      presence,
      name: renames ? sessionGroupName(group.name, names, context.session, isTaken) : group.name,
      change: renames ? 'rename' : reason === null ? 'none' : 'import',
      covered: covered || reason !== null || writes,
    },
  };
};

const openingsOf = (
  context: LayerContext,
  instances: readonly GroupInstance[],
  mappings: readonly Mapping[],
): readonly Opening[] => {
  const reserved = new Set<string>();
  return instances.flatMap((instance) => {
    const { way, reason } = wayOf(context, instance, mappings, reserved);
    reserved.add(way.name);
    if (isBehind(instance, way.presence)) return [lookAgain(instance)];
    return partsOf(instance, way.presence, reason, way.covered).map((part) =>
      openingOf(context, way, part),
    );
  });
};

const probe = async (context: LayerContext): Promise<readonly Opening[]> => {
  const { host } = context;
  const { ours, free } = nodesOf(context);
  if (ours.length === 0) return [];
  await requirePrograms(host, ['lvm', 'dmsetup']);
  await waitForActivation(host);
  const instances: GroupInstance[] = [];
  for (const set of readingSets(ours, free)) {
    const groups = await readGroups(host, set.map(nodePath));
    instances.push(...instancesOf(groups, set, ours, free));
  }
  return openingsOf(context, instances, await readMappings(host));
};

/** Volume groups of LVM: whole ones first, then with consent what can do without a missing disk. */
export const lvmLayer: Layer = { name: 'lvm', probe };
