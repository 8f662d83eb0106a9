import { kernelName } from '../../devices/kernel-name.ts';
import type { Host } from '../../host/host.ts';

const read = async (host: Host, path: string): Promise<string | null> =>
  // An attribute of an array that is being stopped answers with ENODEV or EBUSY.
  (await host.files.readText(path).catch(() => null))?.trim() ?? null;

/**
 * State of the array at a node (Documentation/admin-guide/md.rst): `inactive` has members and does
 * not run, `clear` has nothing. Null when there is no array at all.
 */
export const arrayState = (host: Host, device: string): Promise<string | null> =>
  read(host, `/sys/class/block/${kernelName(device)}/md/array_state`);

/** Kernel nodes of the members that an array has taken, also of an inactive one. */
export const membersOf = async (host: Host, device: string): Promise<readonly string[]> =>
  ((await host.files.list(`/sys/class/block/${kernelName(device)}/slaves`)) ?? []).map(
    (name) => `/dev/${name.replaceAll('!', '/')}`,
  );

/** Nodes that stand on a device. */
export const holdersOf = async (host: Host, device: string): Promise<readonly string[]> =>
  ((await host.files.list(`/sys/class/block/${kernelName(device)}/holders`)) ?? []).map(
    (name) => `/dev/${name}`,
  );

/** `major:minor` of a node, null when it is gone. */
export const numberOf = (host: Host, device: string): Promise<string | null> =>
  read(host, `/sys/class/block/${kernelName(device)}/dev`);

/** Whether an array that has members stands at a node, running or not. */
export const hasArray = async (host: Host, device: string): Promise<boolean> => {
  const state = await arrayState(host, device);
  return state !== null && state !== 'clear' && (await membersOf(host, device)).length > 0;
};

/** All nodes at which the kernel has an array. */
export const allArrays = async (host: Host): Promise<readonly string[]> => {
  const names = ((await host.files.list('/sys/block')) ?? []).filter((name) => /^md/.test(name));
  const found = await Promise.all(
    names.map(async (name) => ((await hasArray(host, `/dev/${name}`)) ? [`/dev/${name}`] : [])),
  );
  return found.flat();
};

/**
 * mdadm and udev give arrays without a fixed number md127 and downward, people md0 and upward. From
 * here downward nobody else takes one between the journal's line and the assembly, so what stands
 * there later is the session's.
 */
const firstNumber = 999;

/** Nodes that are not in use, as many as wanted. */
export const freeNodes = async (host: Host, count: number): Promise<readonly string[]> => {
  const taken = new Set(await host.files.list('/sys/block'));
  const numbers = Array.from({ length: firstNumber - 127 }, (_, index) => firstNumber - index);
  return numbers
    .map((number) => `md${number}`)
    .filter((name) => !taken.has(name))
    .slice(0, count)
    .map((name) => `/dev/${name}`);
};

/** One attribute of the array at a node, null when it has none. */
export const arrayAttribute = (host: Host, device: string, name: string): Promise<string | null> =>
  read(host, `/sys/class/block/${kernelName(device)}/md/${name}`);
