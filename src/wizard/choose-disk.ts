import { isSoftwareImage } from '../commands/list.ts';
import type { Device } from '../devices/device.ts';
import { plainText } from '../host/plain-text.ts';
import { messageOf } from '../host/rescue-error.ts';
import { renderDeviceTree, type TreeOptions } from '../output/device-tree.ts';
import { hardwareWords, shownName } from '../output/device-words.ts';
import { formatSize } from '../output/size.ts';
import { createStyle } from '../output/style.ts';
import type { Terminal } from '../output/terminal.ts';
import type { Choice } from './ask.ts';
import type { Console } from './console.ts';

export type DiskAnswer =
  | { readonly kind: 'disk'; readonly path: string }
  | { readonly kind: 'path' }
  | { readonly kind: 'again' }
  | { readonly kind: 'leave' };

/** Systems that were found earlier in this walk, by the path of their disk. */
export type KnownSystems = ReadonlyMap<string, string>;

const nodeOf = (device: Device): string =>
  device.kind === 'multipath'
    ? `/dev/mapper/${shownName(device)}`
    : (device.path ?? `/dev/${device.name}`);

const diskChoice = (device: Device, known: KnownSystems): Choice<DiskAnswer> => {
  const path = nodeOf(device);
  const system = known.get(path);
  const name = `${path}  ${formatSize(device.sizeBytes)}`;
  const value = { kind: 'disk', path } as const;
  if (device.protected !== null) {
    return { name, value, disabled: `protected: ${plainText(device.protected.reason)}` };
  }
  const words = [...hardwareWords(device), ...(system === undefined ? [] : [system])];
  return { name: [name, ...words].join('  '), value, disabled: null };
};

/** Disks that may be chosen first, then the protected ones; installed software is left out. */
export const inOrder = (devices: readonly Device[]): readonly Device[] => {
  const shown = devices.filter((device) => !isSoftwareImage(device));
  return [
    ...shown.filter((device) => device.protected === null),
    ...shown.filter((device) => device.protected !== null),
  ];
};

/** Every disk, protected ones with their reason and not to be chosen, and what else one can do. */
export const diskChoices = (
  devices: readonly Device[],
  known: KnownSystems,
): readonly Choice<DiskAnswer>[] => {
  const choice = (name: string, kind: 'path' | 'again' | 'leave'): Choice<DiskAnswer> => ({
    name,
    value: { kind },
    disabled: null,
  });
  const disks = inOrder(devices).map((device) => diskChoice(device, known));
  const others = [
    choice('Look again (a disk was attached meanwhile)', 'again'),
    choice('Name an image file, a directory or a single partition', 'path'),
  ];
  const free = disks.filter(({ disabled }) => disabled === null);
  const kept = disks.filter(({ disabled }) => disabled !== null);
  return [...free, ...others, choice('Leave', 'leave'), ...kept];
};

/** Lines that the question below the tree takes besides a line for each disk. */
const questionHeight = 10;

/** What is on the protected disks is left out where the tree would run off the screen. */
const fittingTree = (devices: readonly Device[], options: TreeOptions & Terminal): string => {
  const whole = renderDeviceTree(devices, options);
  if (whole.split('\n').length + devices.length + questionHeight <= options.rows) return whole;
  const bare = devices.map((device) =>
    device.protected === null ? device : { ...device, children: [] },
  );
  return renderDeviceTree(bare, options);
};

const renderDisks = (devices: readonly Device[], known: KnownSystems, view: Terminal): string => {
  const shown = inOrder(devices);
  const tree = fittingTree(shown, {
    ...view,
    columns: view.columns - 3,
    annotate: (device) => known.get(nodeOf(device)) ?? null,
  });
  const free = shown.some((device) => device.protected === null);
  return [
    '',
    `  ${createStyle(view.colour).bold('Attached disks')}`,
    ...(tree === '' ? [] : tree.split('\n').map((line) => `  ${line}`)),
    ...(free ? [] : ['', '  No attached disk is free. Attach the disk of the broken machine']),
    ...(free ? [] : ['  to this one and look again, or name an image file.']),
    '',
  ].join('\n');
};

const fromHome = (path: string): string =>
  path.startsWith('~/') ? `${process.env.HOME ?? ''}${path.slice(1)}` : path;

const askPath = async (
  console: Console,
  exists: (path: string) => Promise<unknown>,
): Promise<string | null> => {
  const typed = await console.ask.line({
    message: 'Path (empty: back to the list):',
    check: async (text) =>
      exists(fromHome(text.trim())).then(
        () => null,
        (error: unknown) => messageOf(error),
      ),
  });
  return typed.trim() === '' ? null : fromHome(typed.trim());
};

export type ChooseOptions = {
  readonly readDevices: () => Promise<readonly Device[]>;
  readonly known: KnownSystems;
  /** What went wrong with the last choice, shown where the eye is: above the question. */
  readonly notice: readonly string[];
  /** Rejects with the reason for a path that is nothing to rescue. */
  readonly resolve: (path: string) => Promise<unknown>;
};

/** Shows the disks and lets the person choose; null when the person wants to leave. */
export const chooseTarget = async (
  console: Console,
  options: ChooseOptions,
): Promise<string | null> => {
  let { notice } = options;
  for (;;) {
    const devices = await options.readDevices();
    console.show(renderDisks(devices, options.known, console.terminal));
    if (notice.length > 0) console.show(`${notice.join('\n')}\n`);
    notice = [];
    const answer = await console.ask.choose({
      message: 'Which disk needs the rescue?',
      choices: diskChoices(devices, options.known),
    });
    if (answer.kind === 'leave') return null;
    if (answer.kind === 'disk') return answer.path;
    const path = answer.kind === 'path' ? await askPath(console, options.resolve) : null;
    if (path !== null) return path;
  }
};
