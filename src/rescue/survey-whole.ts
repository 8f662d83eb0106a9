import { describeStacks } from '../storage/describe-stacks.ts';
import { type AttachedTarget, extendTarget } from './attach.ts';
import { namedElsewhere } from './named-elsewhere.ts';
import type { Session } from './session.ts';
import type { StackAnswers } from './stack-answers.ts';
import { type Survey, type SurveyDepth, surveyTarget } from './survey.ts';

export type WholeSurvey = { readonly attached: AttachedTarget; readonly survey: Survey };

/** Nodes on further disks that the systems found so far name, and that are closed. */
const wantedNodes = async (
  session: Session,
  { disks, disk, stack }: AttachedTarget,
  { systems }: Survey,
): Promise<readonly string[]> => {
  const missing = systems.some(({ mounts }) => mounts.some(({ state }) => state === 'missing'));
  if (!missing) return [];
  const used = new Set(stack.opened.flatMap(({ devices }) => devices));
  const others = disks.filter((one) => one !== disk);
  if (others.length === 0) return [];
  const described = await describeStacks(session.host, others);
  const nodes = systems.flatMap((system) => namedElsewhere(system, described));
  return [...new Set(nodes)].filter((node) => !used.has(node));
};

/**
 * Finds the systems on a target, with the parts of them that lie in closed layers of other attached
 * disks: those whose group, array or encrypted volume fstab names are opened, too, and no others.
 */
export const surveyWhole = async (
  session: Session,
  attached: AttachedTarget,
  answers: StackAnswers,
  depth: SurveyDepth = 'whole',
): Promise<WholeSurvey> => {
  const survey = await surveyTarget(session, attached, depth);
  const wanted = await wantedNodes(session, attached, survey);
  if (wanted.length === 0) return { attached, survey };
  const extended = await extendTarget(session, attached, wanted, answers);
  return { attached: extended, survey: await surveyTarget(session, extended, depth) };
};
