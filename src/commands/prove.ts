import { requirePrograms } from '../host/capabilities.ts';
import { type ExitCode, exitCode, RescueError, reasonOf } from '../host/rescue-error.ts';
import type { Means } from '../rehearsal/record.ts';
import type { AppliedRepair } from '../rescue/apply-repairs.ts';
import {
  fittingForPaths,
  fittingProof,
  type ProofResult,
  type ProofWish,
  planLayerProof,
  planProof,
  proofResult,
} from '../rescue/plan-proof.ts';
import { proveInContainer, verifyInContainer } from '../rescue/prove-in-container.ts';
import type { LayerProofs } from '../rescue/rehearse.ts';
import type { FindOptions } from '../rescue/rescue-job.ts';
import type { StackAnswers } from '../rescue/stack-answers.ts';
import { resolveTarget } from '../rescue/target.ts';
import { type VmWishes, verifyInVm } from '../rescue/verify-vm.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import type { Proof, ProofMethod } from '../verification/proof.ts';
import type { CommandContext } from './context.ts';

/** Seconds until the target must be reached: longer than a unit's own limit, which is 90. */
export const defaultBootSeconds = 120;

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
  bus: null,
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
    return reasonOf(error);
  }
};

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
  return proofResult(proof, notProven);
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
  // Nothing was mended: the question is whether the system boots as it is.
  const fits = applied.length === 0 ? 'vm' : fittingProof(applied);
  const { method, notProven } = planProof(wish, fits, lacks);
  if (method === null) return proofResult(null, notProven);
  try {
    return await watch(context, options, method, notProven);
  } catch (error) {
    if (!(error instanceof RescueError) || outranksReport.has(error.exit)) throw error;
    return proofResult(null, reasonOf(error));
  }
};

export type RehearsalProofOptions = {
  readonly wish: ProofWish;
  readonly answers: StackAnswers;
  /** The repairs that were made on the layer, asked when it has been worked on; none for a shell. */
  readonly applied: () => readonly AppliedRepair[];
};

const overFileSystems = 'the layers lie over file systems, and a machine boots from disks';

/** How a rehearsal watches its layer boot: as what was changed on it calls for. */
export const rehearsalProofs = (
  context: CommandContext,
  { wish, answers, applied }: RehearsalProofOptions,
): LayerProofs => {
  const lacks = async (means: Means): Promise<string | null> =>
    means === 'overlay'
      ? overFileSystems
      : requirePrograms(context.host, programsOfVm).then(() => null, reasonOf);
  const wishes = { target: null, timeoutSeconds: defaultBootSeconds };
  return {
    plan: async ({ changed, mended, means }) => {
      const repairs = applied();
      const byHand = changed === null || mended ? 'vm' : fittingForPaths(changed);
      const fits = repairs.length > 0 ? fittingProof(repairs) : byHand;
      return planLayerProof(wish, fits, await lacks(means));
    },
    inContainer: (session, work) => proveInContainer(session, work, wishes, context.observer),
    inVm: async (session, { disks, place: { target, withDisks, system } }) => {
      const find = { target, withDisks, system, answers };
      const { proof } = await verifyInVm(session, find, vmWishes(context), context.observer, disks);
      return proof;
    },
  };
};
