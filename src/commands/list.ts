import { z } from 'zod';
import { type Device, deviceSchema } from '../devices/device.ts';
import type { Ownership } from '../devices/protection.ts';
import { readDevices } from '../devices/read-devices.ts';
import { requireRoot } from '../host/capabilities.ts';
import type { Host } from '../host/host.ts';
import { type ExitCode, exitCode } from '../host/rescue-error.ts';
import { renderDeviceTree } from '../output/device-tree.ts';
import { jsonText } from '../output/sanitise.ts';
import { createStyle } from '../output/style.ts';
import type { View } from '../output/terminal.ts';
import { describeStacks } from '../storage/describe-stacks.ts';
import { type CommandContext, parseOptions } from './context.ts';

/** The JSON document of `list --json`. */
export const listDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  disks: z.array(deviceSchema).readonly(),
});

export type ListDocument = Readonly<z.infer<typeof listDocumentSchema>>;

export const listDocument = (devices: readonly Device[]): ListDocument => ({
  schemaVersion: 1,
  disks: devices,
});

/** Images of installed software (snap), mounted all the time: dozens of lines that help nobody. */
export const isSoftwareImage = (device: Device): boolean =>
  device.kind === 'loop' && device.fsType === 'squashfs' && device.protected !== null;

const hiddenNote = (count: number): readonly string[] =>
  count === 0
    ? []
    : [`${count} mounted software image${count === 1 ? '' : 's'} not shown (--all shows them).`];

const noneFree = [
  'No attached disk is free to be rescued.',
  'Attach the disk of the broken machine to this one, or name an image file as TARGET.',
];

/** `list` as a person sees it: disks that may be chosen first, then the protected ones. */
export const renderList = (
  devices: readonly Device[],
  view: View & { readonly all?: boolean },
): string => {
  const shown = devices.filter((device) => view.all === true || !isSoftwareImage(device));
  const free = shown.filter((device) => device.protected === null);
  const kept = shown.filter((device) => device.protected !== null);
  const tree = renderDeviceTree([...free, ...kept], { ...view, columns: view.columns - 2 });
  const notes = [
    ...(free.length === 0 ? noneFree : []),
    ...hiddenNote(devices.length - shown.length),
  ];
  const lines = [
    createStyle(view.colour).bold('Attached disks'),
    ...(tree === '' ? [] : tree.split('\n')),
    ...(notes.length === 0 ? [] : ['', ...notes]),
  ];
  return `${lines.map((line) => (line === '' ? '' : `  ${line}`)).join('\n')}\n`;
};

export type ListOptions = {
  readonly json: boolean;
  /** Shows the mounted images of installed software, too. */
  readonly all: boolean;
  readonly view: View;
  readonly ownership: Ownership;
  /** Writes to standard output. */
  readonly write: (text: string) => void;
};

/** `rescuekit list`: reads the devices of the host and shows them. Changes nothing. */
export const listCommand = async (options: ListOptions, host: Host): Promise<ExitCode> => {
  const devices = await describeStacks(host, await readDevices(host, options.ownership));
  options.write(
    options.json
      ? jsonText(listDocument(devices))
      : renderList(devices, { ...options.view, all: options.all }),
  );
  return exitCode.done;
};

/** The command as the command line calls it. */
export const listHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  requireRoot('list');
  const { all } = parseOptions(z.object({ all: z.boolean().default(false) }), args);
  const { options, out, host, isOwnMount } = context;
  const write = options.json ? (text: string) => process.stdout.write(text) : context.print;
  return listCommand(
    { json: options.json, all, view: out, ownership: { isOwnMount }, write },
    host,
  );
};
