import type { Command } from '../../host/command.ts';
import type { Step } from '../../host/step.ts';
import type { LayerMode } from '../layer.ts';

export type AssemblyPlan = {
  /** Node that the array gets. */
  readonly node: string;
  readonly uuid: string;
  /** Kernel nodes of the members. */
  readonly members: readonly string[];
  readonly degraded: boolean;
  /** Other arrays are on this host: neither they nor their names must be touched. */
  readonly besideOthers: boolean;
  /** Members as they are left, in an array that udev has begun and not started. */
  readonly inactive: readonly { readonly node: string; readonly members: readonly string[] }[];
};

/**
 * mdadm refuses an array whose UUID it finds in its list of active ones (/run/mdadm/map), although
 * the kernel has nothing against two. In a mount namespace of its own it has an empty list, and the
 * host's one stays as it is.
 */
const ownMap =
  'mkdir --parents /run/mdadm && mount --types tmpfs tmpfs /run/mdadm && : > /run/mdadm/map && exec "$@"';

const besideOthers = ({ program, args }: Command): Command => ({
  program: 'unshare',
  args: ['--mount', '--propagation', 'slave', 'sh', '-c', ownMap, 'sh', program, ...args],
});

/** Stops what udev began: the same members, in an array that waits for the missing ones. */
const stopInactive = ({ node, members }: AssemblyPlan['inactive'][number]): Step => ({
  title: `Stop the inactive array ${node}`,
  commands: [{ program: 'mdadm', args: ['--stop', node] }],
  why: 'udev has begun to assemble it and waits for the missing disks; so long its disks are taken.',
  risk: 'none: an inactive array cannot be read or written',
  undo: { kind: 'restore-inactive-array', device: node, members },
});

const rulesDirectory = '/run/udev/rules.d';

/** A rule of the last name: links of the same name that others have stay where they are. */
const keepLinks = ({ node }: AssemblyPlan): Step => {
  const name = node.slice('/dev/'.length);
  const file = `${rulesDirectory}/99-zz-rescuekit-${name}.rules`;
  const rule = `KERNEL=="${name}|${name}p*", OPTIONS+="link_priority=-100"`;
  const script = `mkdir --parents ${rulesDirectory} && printf '%s\\n' "$1" > ${file}`;
  return {
    title: `Let other arrays keep their names beside ${node}`,
    commands: [
      { program: 'sh', args: ['-c', script, 'sh', rule] },
      { program: 'udevadm', args: ['control', '--reload'] },
    ],
    why: 'udev gives /dev/md/NAME and /dev/disk/by-id links to the array of that name that came last.',
    risk: 'none: the rule is for this one node and goes when the session ends',
    undo: { kind: 'remove-file', path: file },
  };
};

const assembleStep = (plan: AssemblyPlan, mode: LayerMode): Step => {
  const { node, uuid, members, degraded } = plan;
  const command: Command = {
    program: 'mdadm',
    args: [
      '--assemble',
      // The host's mdadm.conf knows nothing of these disks, and may forbid or rename.
      '--config=none',
      ...(mode === 'read-only' ? ['--readonly'] : []),
      ...(degraded ? ['--run'] : []),
      node,
      ...members,
    ],
  };
  return {
    title: `Assemble the array ${node}`,
    commands: [
      plan.besideOthers ? besideOthers(command) : command,
      // 1: a member is missing. More than that and it is not what was meant.
      {
        program: 'mdadm',
        args: ['--detail', '--test', node],
        accept: degraded ? [0, 1] : [0],
        changes: false,
      },
    ],
    why: 'The file systems are on the array, not on its members.',
    risk:
      mode === 'read-only'
        ? 'none: the array is read-only and does not begin to rebuild'
        : 'its members note that the array is in use, and a rebuild that was under way goes on',
    undo: { kind: 'stop-array', device: node, uuid, members: [...members] },
  };
};

/**
 * The steps that put an array up from exactly these members, in their order. Never with `--force`:
 * what mdadm refuses without it has lost data.
 *
 * @param udev whether udev runs on this host.
 */
export const assemblySteps = (
  plan: AssemblyPlan,
  mode: LayerMode,
  udev: boolean,
): readonly Step[] => [
  ...plan.inactive.map(stopInactive),
  ...(plan.besideOthers && udev ? [keepLinks(plan)] : []),
  assembleStep(plan, mode),
];
