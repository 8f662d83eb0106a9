import type { Proof, VmBus } from '../verification/proof.ts';
import { proveInVm } from '../verification/vm/prove-in-vm.ts';
import { vmLines } from '../verification/vm/vm-lines.ts';
import type { VmDisk, VmRequest } from '../verification/vm/vm-request.ts';
import { followStages } from './follow-stages.ts';
import type { Observer } from './observer.ts';
import type { FindOptions } from './rescue-job.ts';
import type { Session } from './session.ts';
import type { FoundSystem } from './survey.ts';
import { type BusChoice, onChosenBus } from './vm-bus.ts';
import { lookForVm } from './vm-request.ts';

/** The person's wishes about the virtual machine. */
export type VmWishes = Pick<
  VmRequest,
  'firmware' | 'secureBoot' | 'network' | 'timeoutSeconds' | 'machineFacts'
> & {
  /** Null: what the system has drivers for. */
  readonly bus: VmBus | null;
};

export type VerifiedInVm = { readonly system: FoundSystem; readonly proof: Proof };

/** Looks at the disks, and gives what is to be asked of the machine. Everything is down again. */
const requestFor = async (
  session: Session,
  options: Omit<FindOptions, 'mode'>,
  wishes: VmWishes,
  observer: Observer,
  named: readonly VmDisk[] = [],
): Promise<{
  readonly system: FoundSystem;
  readonly request: VmRequest;
  readonly busChoice: BusChoice;
}> => {
  const directory = `${session.directory}/vm`;
  const scratch = `${directory}/scratch`;
  await session.intend(directory, { kind: 'remove-scratch', path: directory });
  await session.host.files.ensureDirectory(scratch, 0o700);
  const look = { ...options, bus: wishes.bus };
  const { system, busChoice, ...subject } = await lookForVm(session, look, directory, observer);
  const disks = subject.disks.map((disk) => named.find(({ path }) => path === disk.path) ?? disk);
  const { bus } = busChoice;
  const request = { ...subject, disks, ...wishes, bus, scratch, keep: session.directory };
  return { system, request, busChoice };
};

/** The commands that would start the machine; looks at the disks and starts nothing. */
export const vmPlan = async (
  session: Session,
  options: Omit<FindOptions, 'mode'>,
  wishes: VmWishes,
  observer: Observer,
): Promise<readonly (readonly string[])[]> => {
  const { request } = await requestFor(session, options, wishes, observer);
  return vmLines(session.host, request);
};

/**
 * Boots the very disks of a system in QEMU, from their own boot loader, and judges the boot. Not one
 * byte of the disks is written.
 *
 * @param named disks that stand for others, with the serial numbers of those: `/dev/disk/by-id`
 *   names are made of them.
 * @throws RescueError as `lookForVm` and `proveInVm`.
 */
export const verifyInVm = async (
  session: Session,
  options: Omit<FindOptions, 'mode'>,
  wishes: VmWishes,
  observer: Observer,
  named: readonly VmDisk[] = [],
): Promise<VerifiedInVm> => {
  const { system, request, busChoice } = await requestFor(
    session,
    options,
    wishes,
    observer,
    named,
  );
  await session.intend('virtual machine', { kind: 'stop-vm', session: session.id });
  const { signal } = session;
  const proof = await followStages(observer, (onStage) =>
    proveInVm(session.host, { ...request, signal, onStage }),
  );
  return { system, proof: onChosenBus(proof, busChoice) };
};
