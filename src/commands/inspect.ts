import { z } from 'zod';
import { flattenDevice, nodeOf } from '../devices/device.ts';
import { requireRoot } from '../host/capabilities.ts';
import { type ExitCode, exitCode } from '../host/rescue-error.ts';
import { renderSystems } from '../output/system-report.ts';
import { attachTarget } from '../rescue/attach.ts';
import { requireSystems, systemName } from '../rescue/choose-system.ts';
import { closedText } from '../rescue/closed-layers.ts';
import { plannedMountSchema } from '../rescue/mount-plan.ts';
import { type FoundSystem, type Survey, surveyDirectory } from '../rescue/survey.ts';
import { surveyWhole } from '../rescue/survey-whole.ts';
import { resolveTarget } from '../rescue/target.ts';
import { requireAllDown, withSession } from '../rescue/with-session.ts';
import type { ClosedLayer } from '../storage/layer.ts';
import { systemFactsSchema } from '../system-image/system-facts.ts';
import { type CommandContext, parseOptions } from './context.ts';
import { stackAnswers } from './stack-answers.ts';
import { targetSchema } from './target-arguments.ts';

const layerSchema = z.object({
  device: z.string(),
  kind: z.string(),
  fsType: z.string().nullable(),
});

/** One system in the JSON of `inspect`. */
export const systemDocumentSchema = systemFactsSchema.extend({
  /** Name for --system. */
  name: z.string(),
  root: z.string().nullable(),
  subvolume: z.string().nullable(),
  /** From the disk to the file system. */
  layers: z.array(layerSchema).readonly(),
  disks: z.array(z.string()).readonly(),
  mounts: z.array(plannedMountSchema).readonly(),
});

const closedSchema = z.object({
  what: z.string(),
  layer: z.string(),
  devices: z.array(z.string()).readonly(),
  why: z.string(),
  option: z.string().nullable(),
  code: z.string(),
});

export const inspectDocumentSchema = z.object({
  schemaVersion: z.literal(1),
  systems: z.array(systemDocumentSchema).readonly(),
  problems: z.array(z.object({ device: z.string(), reason: z.string() })).readonly(),
  /** Layers that stay closed, with the reason and the option that opens them. */
  closed: z.array(closedSchema).readonly(),
});

/** Typed by the layers themselves, so that the schema cannot leave out what they tell. */
type InspectDocument = Omit<z.infer<typeof inspectDocumentSchema>, 'closed'> & {
  readonly closed: readonly ClosedLayer[];
};

type SystemDocument = z.infer<typeof systemDocumentSchema>;

const layersOf = (system: FoundSystem): SystemDocument['layers'] => {
  const { place } = system;
  if (place === null) return [];
  return flattenDevice(place.disk)
    .filter((device) => flattenDevice(device).includes(place.device))
    .map((device) => ({
      device: nodeOf(device) ?? device.name,
      kind: device.kind,
      fsType: device.fsType,
    }));
};

const disksOf = (system: FoundSystem): readonly string[] => {
  const { place } = system;
  if (place === null) return [];
  const devices = system.mounts.flatMap(({ device }) => device ?? []);
  return place.disks
    .filter((disk) => flattenDevice(disk).some((device) => devices.includes(nodeOf(device) ?? '')))
    .flatMap(({ path }) => path ?? []);
};

/** The JSON document of what a survey found. */
export const inspectDocument = (survey: Survey): InspectDocument => ({
  schemaVersion: 1,
  systems: survey.systems.map((system) => ({
    ...system.facts,
    name: systemName(system),
    root: system.place === null ? null : nodeOf(system.place.device),
    subvolume: system.place?.subvolume ?? null,
    layers: layersOf(system),
    disks: disksOf(system),
    mounts: system.mounts,
  })),
  problems: survey.problems,
  closed: [],
});

const lookAt = async (context: CommandContext, given: z.infer<typeof targetSchema>) => {
  const { TARGET: name } = given;
  const answers = await stackAnswers(given, context);
  return withSession(context.session('inspect', name), async (session) => {
    const target = await resolveTarget(session.host, name);
    if (target.kind === 'directory') {
      await session.lock(target.lockKey, 'shared');
      const system = await surveyDirectory(session, target.path);
      const survey: Survey = { systems: [system], problems: [] };
      return { result: inspectDocument(survey), keepUp: false };
    }
    const document = await context.observer.task(`Look at ${name}`, async () => {
      const first = await attachTarget(session, target, {
        withDisks: given.with,
        mode: 'read-only',
        answers,
      });
      const { attached, survey: found } = await surveyWhole(session, first, answers);
      requireSystems(attached, found);
      return { ...inspectDocument(found), closed: attached.closed };
    });
    for (const layer of document.closed) context.observer.warn(closedText(layer));
    return { result: document, keepUp: false };
  });
};

/** `rescuekit inspect TARGET`: what systems are on it. Writes nothing to the target. */
export const inspectHandler = async (args: unknown, context: CommandContext): Promise<ExitCode> => {
  const given = parseOptions(targetSchema, args);
  requireRoot('inspect');
  const { result: document, teardown } = await lookAt(context, given);
  context.printJson(document);
  context.print(renderSystems(document, context.out));
  requireAllDown(teardown);
  return exitCode.done;
};
