import type { Subject } from '../diagnosis/subject.ts';
import { readSystemFacts } from '../system-image/read-system.ts';
import type { SystemFacts } from '../system-image/system-facts.ts';
import { systemFiles } from '../system-image/system-files.ts';
import type { MountedSystem } from './mount-system.ts';
import { insideRunner } from './run-inside.ts';
import type { Session } from './session.ts';
import type { FoundSystem } from './survey.ts';

export type ExamineOptions = {
  readonly system: FoundSystem;
  readonly mounted: MountedSystem;
};

const devicesOf = ({ place }: FoundSystem): Subject['devices'] =>
  place === null
    ? null
    : {
        root: place.device,
        disk: place.disk,
        disks: place.disks,
        subvolume: place.subvolume,
        volumes: place.volumes ?? [],
      };

/**
 * A mounted system as the checks see it. The facts are read again, because with all parts mounted
 * there is more to see than at the first look.
 */
export const examine = async (
  session: Session,
  { system, mounted }: ExamineOptions,
): Promise<Subject> => {
  const { root } = mounted;
  const { host } = session;
  const facts: SystemFacts = await readSystemFacts(host.files, root);
  return {
    host,
    root,
    files: systemFiles(host.files, root),
    facts,
    deployment: system.deployment,
    mounts: [...mounted.mounted, ...mounted.notMounted],
    devices: devicesOf(system),
    runInside: insideRunner(session, facts, {
      root,
      writable: false,
      machine: `rescuekit-${session.id}-look`,
    }),
    now: host.now(),
  };
};
