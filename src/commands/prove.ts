import { RescueError } from '../host/rescue-error.ts';
import type { AppliedRepair } from '../rescue/apply-repairs.ts';
import type { ProofWish } from '../rescue/plan-proof.ts';
import { planProof } from '../rescue/plan-proof.ts';
import { proveInContainer, verifyInContainer } from '../rescue/prove-in-container.ts';
import type { RehearsalOptions } from '../rescue/rehearse.ts';
import type { FindOptions } from '../rescue/rescue-job.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import type { Proof } from '../verification/proof.ts';
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

const isUnprovable = (error: unknown): error is RescueError =>
  error instanceof RescueError &&
  ['NOT_PROVABLE', 'FOREIGN_ARCHITECTURE', 'MISSING_PROGRAM'].includes(error.code);

/**
 * Watches the boot that shows what was changed, on layers that are thrown away. A system of which no
 * boot can be watched here is `not proven`, never an error: the repair has been done.
 */
export const proveAfter = async (
  context: CommandContext,
  options: FindOptions,
  applied: readonly AppliedRepair[],
  wish: ProofWish,
): Promise<ProofResult> => {
  const { method, notProven } = planProof(wish, applied, 'a VM cannot be had here');
  if (method === null) return { proof: null, proven: false, notProven };
  try {
    const proof = await inContainer(context, options);
    return { proof, proven: proof.boots && notProven === null, notProven };
  } catch (error) {
    if (!isUnprovable(error)) throw error;
    return { proof: null, proven: false, notProven: error.message };
  }
};

/** How a rehearsal watches its layer boot. */
export const rehearsalProofs = (
  context: CommandContext,
  wish: ProofWish,
): Pick<RehearsalOptions<unknown>, 'proveMounted'> =>
  wish === 'none'
    ? {}
    : {
        proveMounted: (session, work) =>
          proveInContainer(
            session,
            work,
            { target: null, timeoutSeconds: defaultBootSeconds },
            context.observer,
          ).catch((error: unknown) => (isUnprovable(error) ? null : Promise.reject(error))),
      };
