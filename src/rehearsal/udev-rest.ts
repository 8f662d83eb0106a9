import type { Host } from '../host/host.ts';
import { type UndoResult, undone } from '../host/undo-result.ts';
import { forgetDetached } from '../storage/btrfs-registration.ts';

const directory = '/run/udev/rules.d';

/** Whether udev looks at devices on this host. */
export const hasUdev = async (host: Host): Promise<boolean> =>
  (await host.files.status('/run/udev/control')) !== null;

/** Names of the session's mappings begin so. */
export const layerPrefix = (session: string): string => `rescuekit-${session}-layer-`;

/** Node names of a disk and its partitions: `vdb|vdb[0-9]*`, `nvme0n1|nvme0n1p[0-9]*`. */
const nodePattern = (disk: string): string =>
  /\d$/.test(disk) ? `${disk}|${disk}p[0-9]*` : `${disk}|${disk}[0-9]*`;

/**
 * Rules by which udev leaves alone the disks that stand aside, what shows them, and the layers. The
 * first has to come before udev's own for device-mapper (13), the second after the one that tells
 * what is on a device (60) and before those that assemble and activate (64, 69): a device with
 * nothing on it is not looked at by them.
 *
 * @param disks kernel names; `files` are what loop devices of the session show.
 */
export const restRules = (
  session: string,
  disks: readonly string[],
  files: readonly string[],
): readonly (readonly [path: string, text: string])[] => {
  const flags = ['OTHER', 'DISK'].map((what) => `ENV{DM_UDEV_DISABLE_${what}_RULES_FLAG}="1"`);
  const mappings = [
    'ACTION!="remove", KERNEL=="dm-*"',
    `ATTR{dm/name}=="${layerPrefix(session)}*"`,
    ...flags,
  ].join(', ');
  const empty = 'ENV{ID_FS_TYPE}=""';
  const lines = [
    ...disks.map((disk) => `SUBSYSTEM=="block", KERNEL=="${nodePattern(disk)}", ${empty}`),
    ...files.map((file) => `SUBSYSTEM=="block", ATTRS{loop/backing_file}=="${file}", ${empty}`),
  ];
  return [
    [`${directory}/12-rescuekit-${session}-layers.rules`, `${mappings}\n`],
    [`${directory}/61-rescuekit-${session}-layers.rules`, `${lines.join('\n')}\n`],
  ];
};

/** The commands that put rules in place. */
export const ruleCommands = (rules: ReturnType<typeof restRules>) => [
  { program: 'mkdir', args: ['--parents', directory] },
  ...rules.map(([path, input]) => ({ program: 'tee', args: [path], input })),
  { program: 'udevadm', args: ['control', '--reload'] },
];

/** The same for the partitions that a layer shows: its own node is known only when it is there. */
export const layerRuleCommands = (rules: string, node: string) => [
  {
    program: 'tee',
    args: ['--append', rules],
    input: `SUBSYSTEM=="block", ATTRS{loop/backing_file}=="${node}", ENV{ID_FS_TYPE}=""\n`,
  },
  { program: 'udevadm', args: ['control', '--reload'] },
];

type Rest = {
  readonly rules: readonly string[];
  readonly devices: readonly string[];
  readonly btrfs: boolean;
};

/** Removes the rules, and lets udev do what it does when a disk is attached. */
export const lookAgain = async (
  host: Host,
  { rules, devices, btrfs }: Rest,
): Promise<UndoResult> => {
  if (btrfs) await forgetDetached(host, []);
  for (const path of rules) await host.files.removeFile(path);
  if (!(await hasUdev(host))) return undone;
  await host.run({ program: 'udevadm', args: ['control', '--reload'] });
  const present = await Promise.all(
    devices.map(async (path) => ((await host.files.status(path)) === null ? [] : [path])),
  );
  const nodes = present.flat();
  if (nodes.length === 0) return undone;
  await host.run({
    program: 'udevadm',
    args: ['trigger', '--action=add', '--settle', ...nodes],
    // 1: one of them has gone away meanwhile.
    accept: [0, 1],
  });
  return undone;
};
