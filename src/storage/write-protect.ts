import { majorMinorOf } from '../devices/device-number.ts';
import type { Host } from '../host/host.ts';
import type { Step } from '../host/step.ts';
import { gone, type UndoResult, undone } from '../host/undo-result.ts';

/** Whether the kernel refuses writes to the block device, which may be named by a link. */
export const isReadOnly = async (host: Host, device: string): Promise<boolean> => {
  const status = await host.files.statusFollowed(device);
  if (status?.kind !== 'block') return false;
  const text = await host.files.readText(`/sys/dev/block/${majorMinorOf(status.rdev)}/ro`);
  return text?.trim() === '1';
};

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
