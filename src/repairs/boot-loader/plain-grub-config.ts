import type { Subject } from '../../diagnosis/subject.ts';
import type { Kernel } from '../../system-image/system-facts.ts';
import type { GrubPlaces } from './grub-places.ts';

/** Assignments of /etc/default/grub as far as they are plain words; nothing of it is run. */
export const readDefaults = (text: string): ReadonlyMap<string, string> =>
  new Map(
    [
      ...text.matchAll(
        /^[ \t]*(GRUB_\w+)=(?:"([^"$`\\\n]*)"|'([^'\n]*)'|([^\s"'$`\\;]*))(?:[ \t]+#.*|[ \t]*)$/gm,
      ),
    ].map(([, name = '', double, single, plain]) => [name, double ?? single ?? plain ?? '']),
  );

const quoteGrub = (text: string): string => `'${text.replaceAll("'", '')}'`;

/** A path of the system as GRUB finds it on the file system that holds it. */
export const inGrub = (path: string, { root, boot }: GrubPlaces): string =>
  boot === root ? `${root.top}${path}` : `${boot.top}${path.replace(/^\/boot/, '')}`;

const entry = (kernel: Kernel, places: GrubPlaces, title: string, commandLine: string): string => {
  const { boot, root } = places;
  const subvolume = root.top === '' ? '' : `rootflags=subvol=${root.top.slice(1)} `;
  return [
    `menuentry ${quoteGrub(`${title}, with Linux ${kernel.version}`)} {`,
    `\tsearch --no-floppy --fs-uuid --set=root ${boot.uuid}`,
    `\tlinux ${inGrub(kernel.image, places)} root=UUID=${root.uuid} ro ${subvolume}${commandLine}`.trimEnd(),
    ...(kernel.initramfs === null ? [] : [`\tinitrd ${inGrub(kernel.initramfs, places)}`]),
    '}',
    '',
  ].join('\n');
};

const consoleLines = (defaults: ReadonlyMap<string, string>): readonly string[] => {
  const serial = defaults.get('GRUB_SERIAL_COMMAND');
  const terminal = defaults.get('GRUB_TERMINAL');
  return [
    ...(serial === undefined ? [] : [serial]),
    ...(terminal === undefined
      ? []
      : [`terminal_input ${terminal}`, `terminal_output ${terminal}`]),
  ];
};

/**
 * A small menu for a system without grub-mkconfig: its kernels, the newest first, with the settings
 * of /etc/default/grub that matter to a boot.
 */
export const plainGrubConfig = (
  { facts }: Pick<Subject, 'facts'>,
  places: GrubPlaces,
  defaultsText: string,
): string => {
  const defaults = readDefaults(defaultsText);
  const commandLine = [
    defaults.get('GRUB_CMDLINE_LINUX') ?? '',
    defaults.get('GRUB_CMDLINE_LINUX_DEFAULT') ?? '',
  ]
    .filter((words) => words !== '')
    .join(' ');
  const modules = [
    ...(places.boot.partitionMap === '' ? [] : [`part_${places.boot.partitionMap}`]),
    ...places.boot.abstraction,
    places.boot.fsModule,
  ];
  return [
    '# Written by rescuekit, because the system has no grub-mkconfig of its own.',
    'set default=0',
    `set timeout=${/^\d+$/.exec(defaults.get('GRUB_TIMEOUT') ?? '')?.[0] ?? '5'}`,
    ...modules.map((module) => `insmod ${module}`),
    ...consoleLines(defaults),
    '',
    ...facts.kernels.map((kernel) => entry(kernel, places, facts.os.prettyName, commandLine)),
  ].join('\n');
};
