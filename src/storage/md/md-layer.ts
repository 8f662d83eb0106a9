import { type Device, flattenDevice } from '../../devices/device.ts';
import { mapBounded } from '../../host/bounded.ts';
import type { Host } from '../../host/host.ts';
import { messageOf, RescueError } from '../../host/rescue-error.ts';
import type { Layer, LayerContext, Need, Opening } from '../layer.ts';
import { arrayNames } from './array-names.ts';
import { arrayWords, whyNot } from './array-words.ts';
import { type AssemblyPlan, assemblySteps } from './assemble.ts';
import { type Choice, chooseMembers } from './choose-members.ts';
import { examine, type Member } from './examine.ts';
import { allArrays, arrayState, freeNodes, holdersOf, membersOf } from './md-sysfs.ts';

const examinesAtATime = 4;

/** Firmware RAID keeps its metadata for several volumes in one container, and mdmon writes them. */
const firmwareTypes: Readonly<Record<string, string>> = {
  ddf_raid_member: 'DDF',
  isw_raid_member: 'Intel',
};

type Candidate = {
  readonly path: string;
  /** As blkid and mdadm write it, without punctuation. */
  readonly uuid: string | null;
  /** Array that has taken it without running, where there is one. */
  readonly inactive: string | null;
};

const digits = (uuid: string): string => uuid.replace(/[^0-9a-f]/gi, '').toLowerCase();

/** Members that no running array has taken, and those that one has. */
const sortOut = async (host: Host, trees: readonly Device[]) => {
  const members = [...new Set(trees.flatMap(flattenDevice))].filter(
    ({ fsType, path }) => fsType === 'linux_raid_member' && path !== null,
  );
  const waiting: Candidate[] = [];
  const running = new Set<string>();
  for (const { path, uuid } of members) {
    if (path === null) continue;
    const [holder = null] = await holdersOf(host, path);
    const state = holder === null ? null : await arrayState(host, holder);
    const known = uuid === null ? null : digits(uuid);
    if (holder === null) waiting.push({ path, uuid: known, inactive: null });
    else if (state === 'inactive') waiting.push({ path, uuid: known, inactive: holder });
    else if (known !== null) running.add(known);
  }
  return { waiting, running };
};

const examineAll = async (
  host: Host,
  candidates: readonly Candidate[],
): Promise<readonly Member[]> => {
  const found = await mapBounded(candidates, examinesAtATime, ({ path }) => examine(host, path));
  return found.flatMap((member) => member ?? []);
};

type Group = { readonly ours: readonly Member[]; readonly free: readonly Member[] };

const groupByArray = (
  ours: readonly Member[],
  free: readonly Member[],
): ReadonlyMap<string, Group> =>
  new Map(
    [...new Set(ours.map(({ arrayUuid }) => arrayUuid))].map((uuid) => {
      const of = (members: readonly Member[]) =>
        members.filter(({ arrayUuid }) => arrayUuid === uuid);
      return [uuid, { ours: of(ours), free: of(free) }];
    }),
  );

const needOf = (choice: Choice): Need => {
  switch (choice.state) {
    case 'complete':
      return { kind: 'nothing' };
    case 'degraded':
      return { kind: 'consent', consent: 'degraded', why: whyNot(choice) };
    case 'impossible':
      return { kind: 'impossible', why: whyNot(choice) };
  }
};

const ranks = { complete: 0, degraded: 1, impossible: 2 } as const;

/** Inactive arrays that hold a chosen member: all of what they hold has to be known. */
const inactiveOf = async (
  host: Host,
  members: readonly string[],
  candidates: readonly Candidate[],
): Promise<AssemblyPlan['inactive']> => {
  const nodes = new Set(
    candidates.flatMap(({ path, inactive }) =>
      members.includes(path) && inactive !== null ? [inactive] : [],
    ),
  );
  return Promise.all(
    [...nodes].map(async (node) => ({ node, members: await membersOf(host, node) })),
  );
};

type Surroundings = {
  readonly context: LayerContext;
  readonly candidates: readonly Candidate[];
  readonly arrays: readonly string[];
  readonly udev: boolean;
};

const openingOf = async (
  choice: Choice,
  node: string,
  { context, candidates, arrays, udev }: Surroundings,
): Promise<Opening> => {
  const members = choice.members.map(({ device }) => device);
  const inactive = await inactiveOf(context.host, members, candidates);
  const uuid = choice.newest.arrayUuid;
  const plan: AssemblyPlan = {
    // The node of the inactive array is used again: udev's timer for it then finds a running array
    // and does nothing (ConditionPathExists of mdadm-last-resort@.service); else it would fail.
    node: inactive[0]?.node ?? node,
    uuid,
    members,
    degraded: choice.state === 'degraded',
    besideOthers: arrays.some((array) => !inactive.some((own) => own.node === array)),
    inactive,
  };
  return {
    key: `md ${uuid} ${choice.state} ${members.join(' ')}`,
    layer: 'md',
    what: arrayWords(choice),
    devices: members,
    rank: ranks[choice.state],
    need: needOf(choice),
    commands: (mode) =>
      assemblySteps(plan, mode, udev).flatMap(({ commands }) =>
        commands.map(({ program, args }) => [program, ...args]),
      ),
    open: async (perform) => {
      for (const step of assemblySteps(plan, context.mode, udev)) await perform(step);
    },
    aliases: { [plan.node]: arrayNames(choice.newest) },
  };
};

const closedOpening = (device: string, what: string, why: string): Opening => ({
  key: `md ${device} ${why}`,
  layer: 'md',
  what,
  devices: [device],
  rank: 2,
  need: { kind: 'impossible', why },
  commands: () => [],
  open: async () => {},
  aliases: {},
});

const firmwareOpenings = (ours: readonly Device[]): readonly Opening[] =>
  ours.flatMap(flattenDevice).flatMap(({ path, fsType }) => {
    const format = firmwareTypes[fsType ?? ''];
    if (path === null || format === undefined) return [];
    const why = `${path} belongs to a firmware RAID (${format}). Its volumes are not opened here: assemble them by hand (mdadm --assemble --scan --readonly) and name the volume.`;
    return [closedOpening(path, `firmware RAID member ${path}`, why)];
  });

const findArrays = async (context: LayerContext): Promise<readonly Opening[]> => {
  const { host, ours, free } = context;
  const own = await sortOut(host, ours);
  // A member that is left over while its array runs was left out of it for a reason.
  const waiting = own.waiting.filter(({ uuid }) => uuid === null || !own.running.has(uuid));
  if (waiting.length === 0) return [];
  const wanted = new Set(waiting.map(({ uuid }) => uuid));
  const others = (await sortOut(host, free)).waiting.filter(({ uuid }) => wanted.has(uuid));
  const members = await examineAll(host, [...waiting, ...others]);
  const isOwn = new Set(waiting.map(({ path }) => path));
  const groups = groupByArray(
    members.filter(({ device }) => isOwn.has(device)),
    members.filter(({ device }) => !isOwn.has(device)),
  );
  const choices = [...groups.values()].flatMap(
    (group) => chooseMembers(group.ours, group.free) ?? [],
  );
  const [nodes, arrays, control] = await Promise.all([
    freeNodes(host, choices.length),
    allArrays(host),
    host.files.status('/run/udev/control'),
  ]);
  const surroundings = {
    context,
    candidates: [...waiting, ...others],
    arrays,
    udev: control !== null,
  };
  return Promise.all(
    choices.map((choice, index) => openingOf(choice, nodes[index] ?? '', surroundings)),
  );
};

/** Without mdadm its members stay closed, and the rest of the stack is opened all the same. */
const withoutMdadm = (error: unknown, { ours }: LayerContext): readonly Opening[] => {
  const missing = error instanceof RescueError && error.code === 'MISSING_PROGRAM';
  if (!missing) throw error;
  const why = `${messageOf(error)} ${error.hint}`;
  return ours
    .flatMap(flattenDevice)
    .flatMap(({ path, fsType }) =>
      path !== null && fsType === 'linux_raid_member'
        ? [closedOpening(path, `RAID member ${path}`, why)]
        : [],
    );
};

/**
 * Arrays of the kernel's md driver, metadata 0.90 to 1.2. One that is running already, whoever
 * started it, is used as it is; udev of a stock host starts complete ones by itself, without a
 * write until somebody writes to them (`read-auto`).
 */
export const mdLayer: Layer = {
  name: 'md',
  probe: async (context) => [
    ...(await findArrays(context).catch((error: unknown) => withoutMdadm(error, context))),
    ...firmwareOpenings(context.ours),
  ],
};
