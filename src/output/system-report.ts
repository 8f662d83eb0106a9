import { plainText } from '../host/plain-text.ts';
import { createStyle } from './style.ts';
import type { View } from './terminal.ts';
import { cutText, padText, textWidth } from './text-width.ts';
import { wrapText } from './wrap.ts';

/** What a report on a system needs of it; the documents of `inspect` have it all. */
export type SystemView = {
  readonly name: string;
  readonly os: { readonly prettyName: string };
  readonly hostname: string | null;
  readonly architecture: string | null;
  readonly init: string;
  readonly systemdVersion: number | null;
  readonly kernels: readonly {
    readonly version: string;
    readonly initramfs: string | null;
    readonly modules: boolean;
  }[];
  /** From the disk to the file system. */
  readonly layers: readonly { readonly device: string; readonly kind: string }[];
  readonly bootLoaders: readonly { readonly name: string; readonly config: string | null }[];
  readonly mounts: readonly MountView[];
  readonly missing: readonly string[];
  readonly fstabProblems: readonly {
    readonly line: number;
    readonly text: string;
    readonly reason: string;
  }[];
};

export type MountView = {
  readonly target: string;
  readonly spec: string;
  readonly device: string | null;
  readonly fsType: string;
  readonly state: string;
  readonly note: string | null;
};

const initText = ({ init, systemdVersion }: SystemView): string =>
  systemdVersion === null ? init : `${init} ${systemdVersion}`;

const kernelText = (kernel: SystemView['kernels'][number]): string => {
  const lacks = [
    ...(kernel.initramfs === null ? ['no initramfs'] : []),
    ...(kernel.modules ? [] : ['no modules directory']),
  ];
  return `${plainText(kernel.version)}${lacks.length === 0 ? '' : ` (${lacks.join(', ')})`}`;
};

const mountLines = (mount: MountView, width: number, view: View): readonly string[] => {
  const style = createStyle(view.colour);
  const [target, device, fsType, spec] = [
    mount.target,
    mount.device ?? '-',
    mount.fsType,
    mount.spec,
  ].map(plainText);
  const words = `${padText(target ?? '', 12)} ${padText(device ?? '', width)} ${padText(fsType ?? '', 6)} ${spec}`;
  const isFault = mount.state === 'missing' || mount.state === 'ambiguous';
  const paint = isFault ? style.warning : style.dim;
  const note = mount.note === null ? [] : wrapText(plainText(mount.note), view.columns - 1, 8);
  const line = `      ${cutText(words, view.columns - 8)}`;
  return [isFault ? style.warning(line) : line, ...note.map(paint)];
};

const layerNames: Readonly<Record<string, string>> = {
  raid: 'RAID',
  luks: 'LUKS',
  lvm: 'LVM',
  multipath: 'multipath',
};

/** The way from the disk to the root, where it is longer than a partition. */
const stackText = ({ layers }: SystemView): string | null => {
  const stacked = layers.some(({ kind }) => kind in layerNames);
  const words = layers.map(({ device, kind }) => {
    const name = layerNames[kind];
    return name === undefined ? device : `${device} (${name})`;
  });
  return stacked ? words.join(' → ') : null;
};

const facts = (system: SystemView): readonly (readonly [string, string])[] => [
  ['Init', `${initText(system)}, ${system.architecture ?? 'unknown architecture'}`],
  ['Kernels', system.kernels.map(kernelText).join('; ') || 'none found'],
  ...[stackText(system)].flatMap((text) => (text === null ? [] : [['Storage', text] as const])),
  [
    'Boot loader',
    system.bootLoaders
      .map(
        ({ name, config }) => `${name}${config === null ? ' (no configuration)' : ` (${config})`}`,
      )
      .join(', ') || 'none found',
  ],
];

/** As wide as the devices are, so that the columns behind them stand in line. */
const deviceWidth = (mounts: readonly MountView[]): number =>
  Math.max(16, ...mounts.map(({ device }) => textWidth(device ?? '')).filter((one) => one <= 32));

/** One system: title, facts, and its mounts as fstab has them. */
export const renderSystem = (system: SystemView, view: View): string => {
  const style = createStyle(view.colour);
  const host = system.hostname === null ? '' : ` "${plainText(system.hostname)}"`;
  const warnings = [
    ...system.missing.map((path) => `missing: ${path}`),
    ...system.fstabProblems.map(({ line, reason }) => `fstab line ${line}: ${reason}`),
  ];
  return [
    `  ${style.bold(plainText(system.os.prettyName) + host)}  ${style.dim(system.name)}`,
    ...facts(system).map(([name, value]) => `    ${padText(name, 12)} ${plainText(value)}`),
    ...(system.mounts.length === 0 ? [] : ['    Mounts']),
    ...system.mounts.flatMap((mount) => mountLines(mount, deviceWidth(system.mounts), view)),
    ...warnings.map((text) => `    ${style.warning(plainText(text))}`),
  ].join('\n');
};

/** The report of `inspect`. */
export const renderSystems = (
  document: {
    readonly systems: readonly SystemView[];
    readonly problems: readonly { readonly device: string; readonly reason: string }[];
  },
  view: View,
): string => {
  const style = createStyle(view.colour);
  const parts = document.systems.map((system) => renderSystem(system, view));
  const problems = document.problems.map(
    ({ device, reason }) =>
      `  ${style.warning(`${device} could not be read: ${plainText(reason)}`)}`,
  );
  return `${[...parts, ...problems].join('\n\n')}\n`;
};
