import type { Host } from '../host/host.ts';
import type { Step } from '../host/step.ts';
import { gone, type UndoResult, undone } from '../host/undo-result.ts';

const readOnlyFile = (device: string): string =>
  `/sys/class/block/${device.slice(device.lastIndexOf('/') + 1)}/ro`;

/** Whether the kernel refuses writes to the block device. */
export const isReadOnly = async (host: Host, device: string): Promise<boolean> =>
  (await host.files.readText(readOnlyFile(device)))?.trim() === '1';

/**
 * The step that makes the kernel refuse every write to a device, whatever a mount option or a
 * remount inside the container asks for.
 */
export const writeProtect = (device: string): Step => ({
  title: `Set ${device} read-only`,
  commands: [{ program: 'blockdev', args: ['--setro', device] }],
  why: 'A read-only mount alone does not protect a disk: the system may remount itself writable.',
  risk: 'none',
  undo: { kind: 'set-writable', device },
});

export const setWritable = async (host: Host, device: string): Promise<UndoResult> => {
  if (!(await isReadOnly(host, device))) return gone;
  await host.run({ program: 'blockdev', args: ['--setrw', device] });
  return undone;
};
