import { type Device, flattenDevice } from '../devices/device.ts';
import { readDevices } from '../devices/read-devices.ts';
import { isBelow } from '../host/mount-table.ts';
import { messageOf, RescueError } from '../host/rescue-error.ts';
import { btrfsLayer } from '../storage/btrfs-layer.ts';
import type {
  ClosedLayer,
  Layer,
  LayerContext,
  LayerMode,
  Opening,
  Perform,
} from '../storage/layer.ts';
import { luksLayer } from '../storage/luks/luks.ts';
import { lvmLayer } from '../storage/lvm/lvm-layer.ts';
import { mdLayer } from '../storage/md/md-layer.ts';
import { partitionLayer } from '../storage/partitions.ts';
import { activateHooks } from './hook-phases.ts';
import type { Session } from './session.ts';
import { consentCode, consentOption, type StackAnswers } from './stack-answers.ts';

/** In no order: openings are sorted by their rank. */
const layers: readonly Layer[] = [btrfsLayer, luksLayer, lvmLayer, mdLayer, partitionLayer];

export type OpenStack = {
  /** All devices of the host as they are afterwards. */
  readonly tree: readonly Device[];
  /** What was opened, in the order in which it was. */
  readonly opened: readonly Opening[];
  readonly closed: readonly ClosedLayer[];
  /** Their steps in the journal, for taking the stack down before its turn. */
  readonly steps: readonly number[];
  /** Keys of all openings that were tried. */
  readonly tried: ReadonlySet<string>;
};

type Names = ReadonlyMap<string, readonly string[]>;

/** A node that is reached twice stays one object: devices are compared by identity. */
const withNames = (tree: readonly Device[], names: Names): readonly Device[] => {
  const made = new Map<Device, Device>();
  const visit = (device: Device): Device => {
    const known = made.get(device);
    if (known !== undefined) return known;
    const own = [device.path ?? '', ...device.aliases];
    const more = own.flatMap((name) => names.get(name) ?? []);
    const aliases = [...new Set([...device.aliases, ...more])];
    const named = { ...device, aliases, children: device.children.map(visit) };
    made.set(device, named);
    return named;
  };
  return tree.map(visit);
};

const namesOf = (opened: readonly Opening[]): Names =>
  new Map(opened.flatMap(({ aliases }) => Object.entries(aliases)));

/** All devices of the host; mounts of this session are its own. */
export const readTree = async (
  session: Session,
  opened: readonly Opening[] = [],
): Promise<readonly Device[]> => {
  const all = await readDevices(session.host, {
    isOwnMount: (path) => isBelow(path, session.runDirectory),
  });
  const tree = all.filter(({ majorMinor }) => !session.aside.has(majorMinor ?? ''));
  const names = namesOf(opened);
  return names.size === 0 ? tree : withNames(tree, names);
};

const stands = (disk: Device, paths: ReadonlySet<string>): boolean =>
  flattenDevice(disk).some((device) =>
    [device.path ?? '', ...device.aliases].some((path) => paths.has(path)),
  );

/** The commands that open these layers in a mode, for plans and explanations. */
export const stackLines = (
  opened: readonly Opening[],
  mode: LayerMode,
): readonly (readonly string[])[] => opened.flatMap(({ commands }) => commands(mode));

/** An opening that fails leaves its layer closed; only these end the job. */
const endsTheJob = (error: unknown): boolean =>
  error instanceof RescueError && ['INTERRUPTED', 'LEFT_BEHIND', 'LOCKED'].includes(error.code);

const closedBy = (
  opening: Opening,
  why: string,
  option: string | null,
  code: ClosedLayer['code'],
): ClosedLayer => {
  const { what, layer, devices } = opening;
  return { what, layer, devices, why, option, code };
};

const failureCode = ({ layer }: Opening): ClosedLayer['code'] =>
  layer === 'luks' ? 'ENCRYPTED' : 'CLOSED_LAYER';

const secretOption = '--passphrase-file';
const noSecret = 'It is encrypted, and neither a passphrase nor a key file was given.';

const isWrong = (error: unknown): error is RescueError =>
  error instanceof RescueError && error.code === 'WRONG_PASSPHRASE';

const openLocked = async (
  perform: Perform,
  opening: Opening,
  answers: StackAnswers,
): Promise<ClosedLayer | null> => {
  let wrong: RescueError | null = null;
  for (let attempt = 0; ; attempt++) {
    const secret = await answers.secret(opening, attempt);
    if (secret === null) {
      return wrong === null
        ? closedBy(opening, noSecret, secretOption, 'ENCRYPTED')
        : closedBy(opening, wrong.message, secretOption, 'WRONG_PASSPHRASE');
    }
    try {
      await opening.open(perform, secret);
      answers.opened(opening, secret);
      return null;
    } catch (error) {
      if (!isWrong(error)) throw error;
      wrong = error;
    }
  }
};

/** Opens one thing; what stays closed comes back with its reason. */
const openOne = async (
  session: Session,
  perform: Perform,
  opening: Opening,
  answers: StackAnswers,
): Promise<ClosedLayer | null> => {
  const { need } = opening;
  try {
    if (need.kind === 'passphrase') return await openLocked(perform, opening, answers);
    if (need.kind === 'impossible') {
      return closedBy(opening, need.why, null, need.code ?? failureCode(opening));
    }
    if (need.kind === 'consent' && !(await answers.allow(opening, need.consent))) {
      const option = consentOption[need.consent];
      return closedBy(opening, need.why, option, consentCode[need.consent]);
    }
    await opening.open(perform, null);
    return null;
  } catch (error) {
    if (session.signal.aborted || endsTheJob(error)) throw error;
    return closedBy(opening, messageOf(error), null, failureCode(opening));
  }
};

type Round = {
  readonly tree: readonly Device[];
  readonly tried: ReadonlySet<string>;
  readonly scope: ReadonlySet<string>;
};

const layerNames: Readonly<Record<Opening['layer'], string>> = {
  partitions: 'the partition table',
  md: 'the RAID layer',
  luks: 'the encrypted layer (LUKS)',
  lvm: 'the LVM layer',
  btrfs: 'the btrfs over several devices',
};

/** A layer whose programs are missing stays closed, and the job goes on with what is open. */
const probeLayer = async (layer: Layer, context: LayerContext): Promise<readonly Opening[]> => {
  try {
    return await layer.probe(context);
  } catch (error) {
    if (!(error instanceof RescueError) || error.code !== 'MISSING_PROGRAM') throw error;
    const why = `${error.message} ${error.hint}`;
    const opening: Opening = {
      ...{ key: `${layer.name} programs`, layer: layer.name, what: layerNames[layer.name] },
      ...{ devices: [], rank: 0, need: { kind: 'impossible', why, code: 'MISSING_PROGRAM' } },
      ...{ commands: () => [], open: async () => {}, aliases: {} },
    };
    return [opening];
  }
};

/** Openings of the lowest rank that have not been tried. */
const nextOpenings = async (
  session: Session,
  { mode, answers }: Pick<OpenOptions, 'mode' | 'answers'>,
  { tree, tried, scope }: Round,
): Promise<readonly Opening[]> => {
  const ours = tree.filter((disk) => stands(disk, scope));
  const context: LayerContext = {
    host: session.host,
    ours,
    free: tree.filter((disk) => disk.protected === null && !ours.includes(disk)),
    all: tree,
    mode,
    session: session.id,
    directory: session.directory,
    luksHeaders: answers.luksHeaders,
  };
  const found = (await Promise.all(layers.map((layer) => probeLayer(layer, context)))).flat();
  // What stands on two disks is met on both ways to it.
  const once = [...new Map(found.map((opening) => [opening.key, opening])).values()];
  const fresh = once.filter(({ key }) => !tried.has(key));
  const rank = Math.min(...fresh.map((opening) => opening.rank));
  return fresh.filter((opening) => opening.rank === rank);
};

export type OpenOptions = {
  /** The devices that were named. */
  readonly paths: readonly string[];
  readonly mode: LayerMode;
  readonly answers: StackAnswers;
  /** Called before a device is used for the first time; locks its disk and refuses one in use. */
  readonly claim: (tree: readonly Device[], paths: readonly string[]) => Promise<void>;
  /** What was opened before, when further disks turn out to belong to the target. */
  readonly before?: OpenStack;
};

/**
 * Opens the layers on the named devices. Nesting is visible only after opening, so: look, open what
 * can be opened, look again, until nothing new appears; what is complete before what is not.
 */
export const openStack = async (
  session: Session,
  first: readonly Device[],
  { paths, mode, answers, claim, before }: OpenOptions,
): Promise<OpenStack> => {
  const tried = new Set<string>(before?.tried ?? []);
  const scope = new Set(paths);
  const opened: Opening[] = [...(before?.opened ?? [])];
  const closed: ClosedLayer[] = [...(before?.closed ?? [])];
  const steps: number[] = [...(before?.steps ?? [])];
  const perform: Perform = async (step) => {
    const number = await session.perform(step);
    steps.push(number);
    return number;
  };
  let tree = first;
  const hooks = activateHooks(session, steps);
  await hooks.before(tree, scope);
  for (;;) {
    const openings = await nextOpenings(session, { mode, answers }, { tree, tried, scope });
    if (openings.length === 0) {
      // A hook may have brought up a device, and there may be a layer on it.
      if (!(await hooks.after(tree, scope))) return { tree, opened, closed, steps, tried };
      tree = await readTree(session, opened);
      continue;
    }
    const already = opened.length;
    for (const opening of openings) {
      tried.add(opening.key);
      await claim(tree, opening.devices);
      const stays = await openOne(session, perform, opening, answers);
      if (stays !== null) {
        closed.push(stays);
        continue;
      }
      opened.push(opening);
      for (const path of opening.devices) scope.add(path);
    }
    if (opened.length > already) tree = await readTree(session, opened);
  }
};
