import { type Device, flattenDevice } from '../../devices/device.ts';
import { parseSpec } from '../../system-image/fstab-spec.ts';
import { resolveContainer } from '../../system-image/resolve-spec.ts';
import type { CrypttabEntry } from '../../system-image/system-facts.ts';
import { sameDevice, targetNodes } from '../../system-image/target-devices.ts';
import { rootArgument } from '../kernel/initramfs-need.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
import type { Subject, SubjectDevices } from '../subject.ts';
import { isUntold } from './absence.ts';
import { resolveContextOf, type Table } from './table.ts';

/** The open encrypted devices that the root stands on, directly or with LVM and the like between. */
export const rootContainers = ({ disks, root }: SubjectDevices): readonly Device[] =>
  targetNodes(disks)
    .map(({ device }) => device)
    .filter(
      (device) =>
        device.children.some(({ kind }) => kind === 'luks') &&
        flattenDevice(device).some((above) => sameDevice(above, root)),
    );

const mapperName = (spec: string): readonly string[] => {
  const parsed = parseSpec(spec);
  const path = parsed.kind === 'path' ? parsed.path : '';
  return /^\/dev\/mapper\/([^/]+)$/.exec(path)?.slice(1) ?? [];
};

/** What the boot loader tells the initramfs to open without asking crypttab (dracut, mkinitcpio, mkinitfs). */
const opensByItself =
  /\b(?:rd\.luks\.(?:uuid|name|partuuid|serial)|luks\.(?:uuid|name)|cryptdevice|cryptopts|cryptroot|crypt_root)=/;

type RootWords = {
  /** Mappings that the root is mounted by. */
  readonly names: ReadonlySet<string>;
  readonly opensByItself: boolean;
  /** Whether any command line was found that could say so. */
  readonly known: boolean;
};

const rootWords = async (subject: Subject, table: Table): Promise<RootWords> => {
  const options = (await bootEntriesOf(subject)).flatMap((entry) => entry.options ?? []);
  const root = table.entries.find(({ isRoot }) => isRoot);
  const specs = [root?.entry.spec, ...options.map(rootArgument)];
  return {
    names: new Set(specs.flatMap((spec) => (spec == null ? [] : mapperName(spec)))),
    opensByItself: options.some((text) => opensByItself.test(text)),
    known: options.length > 0,
  };
};

/** What a line of crypttab has to do with the root. */
export type RootLine =
  | { readonly kind: 'none' }
  /** It opens what the root is on. */
  | { readonly kind: 'right' }
  /** It, or another line, may open that by a name that the disk as it is attached does not have. */
  | { readonly kind: 'unknown' }
  /** It is to open that, and names something else. */
  | {
      readonly kind: 'wrong';
      /** The only device that it can mean; null when there is a choice, or that is not certain. */
      readonly container: Device | null;
      /** The root is mounted by its name; otherwise it is the only line that is left for the root. */
      readonly named: boolean;
    };

const none: RootLine = { kind: 'none' };
const unknown: RootLine = { kind: 'unknown' };

/**
 * Whether the root stands on what a line opens, also when the line names a device that is not there:
 * then it is the line by whose name the root is mounted, or, with LVM between, a line that finds
 * nothing while no line finds what the root is on.
 */
export const rootLineOf = async (
  subject: Subject,
  table: Table,
  entry: CrypttabEntry,
): Promise<RootLine> => {
  const { devices, facts } = subject;
  const containers = devices === null ? [] : rootContainers(devices);
  if (devices === null || containers.length === 0 || entry.kind !== 'luks') return none;
  const context = resolveContextOf(subject, devices);
  const foundBy = (line: CrypttabEntry): Device | null => {
    const found = resolveContainer(line, context);
    return found.kind === 'found' ? found.device : null;
  };
  const own = foundBy(entry);
  if (own !== null && containers.some((device) => sameDevice(device, own))) {
    return { kind: 'right' };
  }
  const others = facts.crypttab.filter((line) => line !== entry);
  const claimed = others.flatMap((line) => foundBy(line) ?? []);
  const free = containers.filter((one) => !claimed.some((device) => sameDevice(device, one)));
  const [only, second] = free;
  const candidate = second === undefined ? (only ?? null) : null;
  const words = await rootWords(subject, table);
  const cannotBeTold = (line: CrypttabEntry): boolean =>
    foundBy(line) === null && isUntold(parseSpec(line.source), devices);
  if (words.names.has(entry.name)) {
    return cannotBeTold(entry) ? unknown : { kind: 'wrong', container: candidate, named: true };
  }
  const lost = others.filter((line) => line.kind === 'luks' && foundBy(line) === null);
  const isTaken = lost.some(({ name }) => words.names.has(name));
  const mayBeMissing = ['nofail', 'noauto'].some((option) => entry.options.includes(option));
  if (own !== null || only === undefined || isTaken || mayBeMissing) return none;
  if (words.opensByItself) return none;
  if ([entry, ...lost].some(cannotBeTold)) return unknown;
  const isOnly = lost.length === 0 && words.known;
  return { kind: 'wrong', container: isOnly ? candidate : null, named: false };
};
