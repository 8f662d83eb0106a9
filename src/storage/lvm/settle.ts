import { hostHasSystemd } from '../../host/capabilities.ts';
import type { Host } from '../../host/host.ts';
import { waitUntil } from '../../host/wait.ts';

/** Pools are checked before they are activated, which takes a while on a large disk. */
const activationMilliseconds = 60_000;

/**
 * udev hands the activation of a group that has become complete to a service (69-lvm.rules:
 * `lvm-activate-GROUP.service`), which may still run when udev has settled. Waits for its end, so
 * that a group is not activated by two at once, once for reading and once for writing.
 */
export const waitForActivation = async (host: Host): Promise<void> => {
  // pvscan notes the groups that it found complete here; where there are none, no service runs.
  const groups = (await host.files.list('/run/lvm/vgs_online')) ?? [];
  if (groups.length === 0 || !(await hostHasSystemd(host))) return;
  const args = ['list-units', '--all', '--plain', '--no-legend', 'lvm-activate-*.service'];
  const isQuiet = async () => {
    const { stdout } = await host.run({ program: 'systemctl', args, changes: false });
    // A service whose start still waits in the queue is inactive, with a job.
    return !/\s(active|activating|deactivating)\s|\sdead\s+start\s/.test(stdout);
  };
  await waitUntil(isQuiet, activationMilliseconds);
};
