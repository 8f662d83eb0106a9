import { readBtrfsSuperblock } from '../filesystems/btrfs-superblock.ts';
import type { Host } from '../host/host.ts';
import type { Step } from '../host/step.ts';
import { gone, type UndoResult, undone } from '../host/undo-result.ts';
import type { BtrfsDevice } from './btrfs-devices.ts';

/**
 * The kernel keeps a list of the btrfs devices that it has seen, unmounted ones too, and mounts a
 * file system over several devices from it. Of two copies of a device it knows one.
 */
const scanArgs = (node: string) => ['device', 'scan', node];
export const forgetArgs = (node: string): readonly string[] => ['device', 'scan', '--forget', node];

/**
 * Whether udev has told the kernel of the device (64-btrfs.rules); the kernel itself does not say
 * what is in its list. A loop device of the session is soon gone, and its entry must go with it.
 */
const isRegistered = async (host: Host, { device }: BtrfsDevice): Promise<boolean> => {
  if (device.name.startsWith('loop') || device.majorMinor === null) return false;
  const known = await host.files.readText(`/run/udev/data/b${device.majorMinor}`);
  return known?.includes('ID_BTRFS_READY=') ?? false;
};

/** The words that keep the kernel from taking a copy for a member. */
export const forgetCommands = (others: readonly string[]): readonly (readonly string[])[] =>
  others.map((node) => ['btrfs', ...forgetArgs(node)]);

/**
 * The step that makes the kernel forget the other devices with this UUID. The members are named at
 * each mount; afterwards the kernel's list is as before.
 */
export const registrationStep = async (
  host: Host,
  fsid: string,
  members: readonly BtrfsDevice[],
  others: readonly BtrfsDevice[],
): Promise<Step> => {
  const all = [...members, ...others];
  const known = await Promise.all(all.map((one) => isRegistered(host, one)));
  const nodes = (registered: boolean) =>
    all.flatMap(({ node }, index) => (known[index] === registered ? [node] : []));
  return {
    title: `Use ${members.map(({ node }) => node).join(', ')} as the btrfs ${fsid}`,
    commands: others.map(({ node }) => ({
      program: 'btrfs',
      args: forgetArgs(node),
      // 1: the kernel does not know it, which is what is wanted.
      accept: [0, 1],
    })),
    why: 'The kernel puts a btrfs together from the devices that it has seen, and a copy has the same UUIDs.',
    risk: "none: only the kernel's list of btrfs devices changes",
    undo: { kind: 'btrfs-registration', fsid, forget: nodes(false), register: nodes(true) },
  };
};

/** Puts the kernel's list of the devices of one btrfs back, as far as they are still attached. */
export const restoreRegistration = async (
  host: Host,
  {
    fsid,
    forget,
    register,
  }: {
    readonly fsid: string;
    readonly forget: readonly string[];
    readonly register: readonly string[];
  },
): Promise<UndoResult> => {
  let acted = false;
  const act = async (node: string, args: readonly string[]) => {
    // The node of a disk that was pulled may be another one's by now.
    if ((await readBtrfsSuperblock(host.run, node))?.fsid !== fsid) return;
    // 1: forgotten already, or mounted by somebody else meanwhile.
    await host.run({ program: 'btrfs', args, accept: [0, 1] });
    acted = true;
  };
  for (const node of forget) await act(node, forgetArgs(node));
  for (const node of register) await act(node, scanArgs(node));
  return acted ? undone : gone;
};

const udevData = '/run/udev/data';

/** Nodes of the btrfs devices of which udev has told the kernel. */
const registeredNodes = async (host: Host): Promise<readonly string[]> => {
  const names = ((await host.files.list(udevData)) ?? []).filter((name) => /^b\d+:\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const text = (await host.files.readText(`${udevData}/${name}`)) ?? '';
      return text.includes('ID_BTRFS_READY=') ? [`/dev/block/${name.slice(1)}`] : [];
    }),
  );
  return found.flat();
};

/**
 * Makes the kernel forget disks that are gone. It keeps a detached one in its list with the number
 * of commits that it had, and refuses an older copy of it ("already registered with a higher
 * generation"): a volume that was restored from a snapshot. Such an entry has no node any more by
 * which it could be named, so all that is not mounted is forgotten, and what udev had told the
 * kernel of is told again.
 *
 * @param except nodes of the target, whose entries must be those of this mount.
 */
export const forgetDetached = async (host: Host, except: readonly string[]): Promise<void> => {
  const kept = await Promise.all(except.map((node) => host.files.realPath(node)));
  await host.run({ program: 'btrfs', args: ['device', 'scan', '--forget'] });
  for (const node of await registeredNodes(host)) {
    const path = await host.files.realPath(node);
    // 1: it is mounted, or an older copy itself.
    if (path === null || kept.includes(path)) continue;
    await host.run({ program: 'btrfs', args: scanArgs(node), accept: [0, 1] });
  }
};
