import { requirePrograms } from '../host/capabilities.ts';
import { type ExitCode, exitCode, messageOf, RescueError } from '../host/rescue-error.ts';
import type { AppliedRepair } from '../rescue/apply-repairs.ts';
import type { ProofWish } from '../rescue/plan-proof.ts';
import { planProof } from '../rescue/plan-proof.ts';
import { proveInContainer, verifyInContainer } from '../rescue/prove-in-container.ts';
import type { RehearsalOptions } from '../rescue/rehearse.ts';
import type { FindOptions } from '../rescue/rescue-job.ts';
import type { StackAnswers } from '../rescue/stack-answers.ts';
import { resolveTarget } from '../rescue/target.ts';
import { type VmWishes, verifyInVm } from '../rescue/verify-vm.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import type { Proof, ProofMethod } from '../verification/proof.ts';
import type { CommandContext } from './context.ts';

/** Seconds until the target must be reached: longer than a unit's own limit, which is 90. */
export const defaultBootSeconds = 120;

/** What a watched boot came to after a repair. */
export type ProofResult = {
  readonly proof: Proof | null;
  /** The boot was watched that shows what was changed, and it reached its end. */
  readonly proven: boolean;
  /** Why nothing is proven; null when it is, or when the boot failed. */
  readonly notProven: string | null;
};

const inContainer = async (context: CommandContext, options: FindOptions): Promise<Proof> => {
  const { result, teardown } = await withSession(
    context.session('verify', options.target, 'ephemeral'),
    async (session) => {
      const wishes = { target: null, timeoutSeconds: defaultBootSeconds };
      const value = await verifyInContainer(
        session,
        { ...options, skipCheck: true },
        wishes,
        context.observer,
      );
      return { result: value.proof, keepUp: false };
    },
  );
  requireAllDown(teardown);
  return result;
};

const programsOfVm = ['qemu-system-x86_64', 'qemu-img'];

/** What a virtual machine would be given; the firmware is what the disks are prepared for. */
const vmWishes = ({ paths }: CommandContext): VmWishes => ({
  bus: 'virtio',
  firmware: 'auto',
  secureBoot: false,
  network: false,
  timeoutSeconds: null,
  machineFacts: paths.machine,
});

/** Why no virtual machine can be had; null when one can. */
const vmLacks = async ({ host }: CommandContext, target: string): Promise<string | null> => {
  const { kind } = await resolveTarget(host, target);
  if (kind === 'directory') return 'a directory has no disk that a machine could boot';
  try {
    await requirePrograms(host, programsOfVm);
    return null;
  } catch (error) {
    return withoutStop(error);
  }
};

const withoutStop = (error: unknown): string => messageOf(error).replace(/\.$/, '');

const inVm = async (context: CommandContext, options: FindOptions): Promise<Proof> => {
  const { result, teardown } = await withSession(
    context.session('verify', options.target, 'ephemeral'),
    async (session) => ({
      result: await verifyInVm(session, options, vmWishes(context), context.observer),
      keepUp: false,
    }),
  );
  requireAllDown(teardown);
  return result.proof;
};

const watch = async (
  context: CommandContext,
  options: FindOptions,
  method: ProofMethod,
  notProven: string | null,
): Promise<ProofResult> => {
  const proof = await (method === 'vm' ? inVm : inContainer)(context, options);
  return { proof, proven: proof.boots && notProven === null, notProven };
};

/** What a person must hear of before anything else: an interruption, and what could not come down. */
const outranksReport: ReadonlySet<ExitCode> = new Set([exitCode.interrupted, exitCode.leftBehind]);

/**
 * Watches the boot that shows what was changed, on layers that are thrown away. A system of which no
 * boot can be watched here is `not proven`, whatever the reason, and never an error: the repair has
 * been done, and its report must not be lost.
 *
 * @throws RescueError `INTERRUPTED` (130), `LEFT_BEHIND` (5).
 */
export const proveAfter = async (
  context: CommandContext,
  options: FindOptions,
  applied: readonly AppliedRepair[],
  wish: ProofWish,
): Promise<ProofResult> => {
  const lacks = wish === 'none' ? null : await vmLacks(context, options.target);
  const { method, notProven } = planProof(wish, applied, lacks);
  if (method === null) return { proof: null, proven: false, notProven };
  try {
    return await watch(context, options, method, notProven);
  } catch (error) {
    if (!(error instanceof RescueError) || outranksReport.has(error.exit)) throw error;
    return { proof: null, proven: false, notProven: withoutStop(error) };
  }
};

const unprovable: ReadonlySet<string> = new Set([
  ...['NOT_PROVABLE', 'FOREIGN_ARCHITECTURE', 'MISSING_PROGRAM', 'MISSING_FILES'],
  ...['VM_ARCHITECTURE', 'VM_NOT_STARTED', 'VM_UNRELIABLE', 'SCRATCH_FULL'],
]);

const isUnprovable = (error: unknown): error is RescueError =>
  error instanceof RescueError && unprovable.has(error.code);

/** On a layer nothing is lost by an error, which ends the rehearsal; these leave the choice open. */
const orNone = (boot: Promise<Proof>): Promise<Proof | null> =>
  boot.catch((error: unknown) => (isUnprovable(error) ? null : Promise.reject(error)));

export type RehearsalProofOptions = {
  readonly wish: ProofWish;
  readonly answers: StackAnswers;
  /** The repairs that were made on the layer, asked when it has been worked on. */
  readonly applied: () => readonly AppliedRepair[];
};

/**
 * How a rehearsal watches its layer boot: from the layers over its disks where only that shows what
 * was changed, else in a container.
 */
export const rehearsalProofs = (
  context: CommandContext,
  { wish, answers, applied }: RehearsalProofOptions,
): Pick<RehearsalOptions<unknown>, 'proveMounted' | 'proveDisks'> => {
  const wanted = async (): Promise<ProofMethod | null> => {
    const lacks = await requirePrograms(context.host, programsOfVm).then(() => null, withoutStop);
    // A shell may have changed anything; a container shows the most of it at once.
    const plan = wish === 'auto' && applied().length === 0 ? 'container' : wish;
    return planProof(plan, applied(), lacks).method;
  };
  const wishes = { target: null, timeoutSeconds: defaultBootSeconds };
  return {
    proveMounted: async (session, work) =>
      (await wanted()) === 'container'
        ? orNone(proveInContainer(session, work, wishes, context.observer))
        : null,
    proveDisks: async (session, { place: { target, withDisks, system } }) => {
      if ((await wanted()) !== 'vm') return null;
      const find = { target, withDisks, system, answers };
      const boot = verifyInVm(session, find, vmWishes(context), context.observer);
      return orNone(boot.then(({ proof }) => proof));
    },
  };
};
