import { loadOwnRepairs, type OwnRepairs } from '../repairs/own/own-repair.ts';
import type { CommandContext } from './context.ts';

/** The person's own repairs; those that are left out are named. */
export const ownRepairs = async (context: CommandContext): Promise<OwnRepairs> => {
  const own = await loadOwnRepairs(context.host, context.repairsDirectory);
  for (const problem of own.problems) context.observer.warn(problem);
  return own;
};
