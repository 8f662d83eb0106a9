import { usageError } from '../host/rescue-error.ts';
import { defaultTarget } from '../system-image/systemd-units.ts';
import { busNames, type VmBus } from '../verification/proof.ts';
import { takeOwnKernel } from '../verification/vm/own-kernel.ts';
import type { VmDisk, VmRequest } from '../verification/vm/vm-request.ts';
import type { AttachedTarget } from './attach.ts';
import { examine } from './examine.ts';
import { withMountHooks } from './hook-phases.ts';
import { mountSystem } from './mount-system.ts';
import type { Observer } from './observer.ts';
import { type FindOptions, type FoundTarget, findSystem } from './rescue-job.ts';
import type { Session } from './session.ts';
import type { StackAnswers } from './stack-answers.ts';
import type { FoundSystem } from './survey.ts';
import { disksOfSystem, standsOn } from './system-disks.ts';
import { resolveTarget } from './target.ts';
import { type BusChoice, chooseBus } from './vm-bus.ts';

/** What to look for, and where the disks are to be attached; null: as the system has drivers for it. */
export type VmLook = Omit<FindOptions, 'mode'> & { readonly bus: VmBus | null };

/** What only a look at the disk tells. */
export type VmSubject = {
  readonly system: FoundSystem;
  readonly busChoice: BusChoice;
} & Pick<VmRequest, 'disks' | 'architecture' | 'ownKernel' | 'target' | 'passphrases'>;

const noDisk = (name: string): Error =>
  usageError(
    `${name} has no disk of its own that a machine could boot from.`,
    'Leave out --vm: a container boots it.',
  );

/** An image is given to QEMU as the file that it is: its loop device goes with the look. */
const vmDisks = async (
  session: Session,
  attached: AttachedTarget,
  system: FoundSystem,
): Promise<readonly VmDisk[]> => {
  const { tree, opened } = attached.stack;
  const disks = disksOfSystem({ tree, opened }, system.mounts);
  return Promise.all(
    disks
      .flatMap((disk) => (disk.path === null ? [] : [{ ...disk, path: disk.path }]))
      .map(async ({ path, serial }) => {
        const named = attached.all.find((one) => one.path === path);
        const target = named === undefined ? null : await resolveTarget(session.host, named.name);
        return target?.kind === 'image' ? { path: target.path, serial: null } : { path, serial };
      }),
  );
};

/** Of the volumes that the system stands on, and of no other one that was opened along. */
const passphrasesOf = (
  { stack }: AttachedTarget,
  { mounts }: FoundSystem,
  answers: StackAnswers,
): readonly string[] => [
  ...new Set(
    answers
      .passphrases()
      .filter(({ devices }) => standsOn(stack.tree, mounts, devices))
      .map(({ text }) => text),
  ),
];

const lookInside = async (
  session: Session,
  { system, target }: FoundTarget,
  attached: AttachedTarget,
  { answers, bus }: VmLook,
  directory: string,
): Promise<VmSubject> => {
  const disks = await vmDisks(session, attached, system);
  if (disks.length === 0) throw noDisk(target.name);
  const options = { mode: 'read-only', setuid: false, apart: false } as const;
  const mounted = await withMountHooks(session, system, 'read-only', () =>
    mountSystem(session, system, options),
  );
  const subject = await examine(session, { system, mounted });
  const { files, facts } = subject;
  return {
    system,
    disks,
    busChoice: await chooseBus(subject, bus),
    passphrases: passphrasesOf(attached, system, answers),
    architecture: facts.architecture,
    ownKernel: await takeOwnKernel(session.host, files, directory),
    target: facts.init === 'systemd' ? await defaultTarget(files) : null,
  };
};

/**
 * Finds a system and what a virtual machine needs to know of it, copies its kernel into `directory`,
 * and takes everything down again: while QEMU runs, the host must not have the same arrays and
 * groups open.
 *
 * @throws RescueError usage (2) for what has no disk: a directory, what a hook has mounted.
 */
export const lookForVm = async (
  session: Session,
  options: VmLook,
  directory: string,
  observer: Observer,
): Promise<VmSubject> => {
  const mark = session.mark();
  const found = await findSystem(session, { ...options, mode: 'read-only' }, observer);
  const { attached, system } = found;
  if (attached === null || system.place === null) throw noDisk(found.target.name);
  const subject = await observer.task(
    'Look at its boot loader and kernel',
    () => lookInside(session, found, attached, options, directory),
    ({ disks, busChoice }) =>
      `Looked at its boot loader and kernel; ${disksText(disks.length, busChoice)}`,
  );
  await session.takeDownSince(mark);
  return subject;
};

const disksText = (count: number, { bus, why }: BusChoice): string => {
  const disks = count === 1 ? 'it is on one disk' : `it is on ${count} disks`;
  return why === null ? disks : `${disks}, tried on ${busNames[bus]}, ${why}`;
};
