import type { Host } from '../host/host.ts';
import { plainText } from '../host/plain-text.ts';
import { RescueError } from '../host/rescue-error.ts';
import type { SystemFacts } from '../system-image/system-facts.ts';
import { parseGuestReport } from '../verification/container/guest-report.ts';
import { judgeContainerBoot } from '../verification/container/judge.ts';
import { missingProof } from '../verification/container/missing-proof.ts';
import type { Proof } from '../verification/proof.ts';
import { requireRunnable } from './boot-plan.ts';
import { noLastResorts } from './check-system.ts';
import type { Observer } from './observer.ts';
import { type PreparedSystem, type PrepareOptions, prepareSystem } from './rescue-job.ts';
import type { Session } from './session.ts';
import { watchBoot } from './watch-boot.ts';

export type ContainerProofOptions = {
  /** Unit to reach; the system's default target when null. */
  readonly target: string | null;
  /** Seconds until the target must be reached. */
  readonly timeoutSeconds: number;
};

const notProvable = (why: string): RescueError =>
  new RescueError({
    code: 'NOT_PROVABLE',
    message: `${why} A container cannot prove that it boots.`,
    hint: 'Boot the disk itself in a VM: rescuekit verify TARGET --vm',
  });

/**
 * Refuses a system of which a container can say nothing: only systemd tells what has become of a
 * boot, other inits start their scripts and wait for a console that a container does not have.
 *
 * @throws RescueError `NOT_PROVABLE`, `FOREIGN_ARCHITECTURE` (1).
 */
export const requireProvable = async (host: Host, facts: SystemFacts): Promise<void> => {
  await requireRunnable(host, facts);
  // Without any init there is nothing to be watched: that is a proof by itself.
  if (facts.init === 'systemd' || facts.initPath === null) return;
  const init = facts.init === 'unknown' ? 'not known' : `${facts.init} and not systemd`;
  throw notProvable(`The init of ${plainText(facts.os.prettyName)} is ${init}.`);
};

/**
 * Boots a system that is mounted with nothing kept (mode `ephemeral`) into its default target, and
 * judges what came of it. Without a network.
 *
 * What it does not see: boot loader, kernel, initramfs, and devices that fstab names. A container
 * skips those.
 *
 * @throws RescueError `NOT_PROVABLE`, `FOREIGN_ARCHITECTURE` (1), usage (2) for an unknown target.
 */
export const proveInContainer = async (
  session: Session,
  prepared: Pick<PreparedSystem, 'system' | 'mounted'>,
  { target, timeoutSeconds }: ContainerProofOptions,
  observer: Observer,
): Promise<Proof> => {
  const { facts } = prepared.system;
  await requireProvable(session.host, facts);
  const unit = target ?? 'default.target';
  const missing = missingProof(facts, unit);
  if (missing !== null) return missing;
  const limitSeconds = timeoutSeconds;
  return observer.task(
    `Boot into ${unit} in a container`,
    async (update) => {
      const { boot, mark, seconds, canTell } = await watchBoot(session, prepared, {
        unit,
        limitSeconds,
        onBusy: (busy) => update({ message: `starting ${busy}`, fraction: null }),
      });
      if (!canTell) throw notProvable('The system has no systemctl.');
      const report = boot.exec === null ? null : parseGuestReport(boot.exec.stdout, mark);
      return judgeContainerBoot({ boot, report, unit, limitSeconds, seconds });
    },
    (proof) => bootedText(proof),
  );
};

const bootedText = ({ boots, target, seconds }: Proof): string =>
  boots
    ? `Reached ${target ?? 'the end of the boot'} in a container`
    : `Watched the boot for ${seconds.toFixed(1)} s: it did not reach ${target ?? 'its end'}`;

/**
 * Finds, checks and mounts a system on a throwaway layer over its write-protected devices, boots it
 * in a container and judges the boot. Not one byte of the disk is written.
 *
 * @throws RescueError as `prepareSystem` and `proveInContainer`.
 */
export const verifyInContainer = async (
  session: Session,
  options: Omit<PrepareOptions, 'mode' | 'repair' | 'lastResorts' | 'setuid' | 'apart'>,
  proof: ContainerProofOptions,
  observer: Observer,
): Promise<PreparedSystem & { readonly proof: Proof }> => {
  const prepared = await prepareSystem(
    session,
    {
      ...options,
      mode: 'ephemeral',
      repair: false,
      lastResorts: noLastResorts,
      setuid: true,
      apart: false,
    },
    observer,
    ({ facts }) => requireProvable(session.host, facts),
  );
  return { ...prepared, proof: await proveInContainer(session, prepared, proof, observer) };
};
