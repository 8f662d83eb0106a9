import { type Finding, problemsAmong } from '../diagnosis/finding.ts';
import { allChecks } from '../diagnosis/registry.ts';
import { type Diagnosis, isHealthy, runChecks } from '../diagnosis/run-checks.ts';
import type { Subject } from '../diagnosis/subject.ts';
import type { CheckResult } from '../filesystems/file-system.ts';
import { RescueError } from '../host/rescue-error.ts';
import type { OwnRepairs } from '../repairs/own/own-repair.ts';
import { checkFileSystems, checkTargetsOf, isOnlyDirty, noLastResorts } from './check-system.ts';
import { systemTitle } from './choose-system.ts';
import { examine } from './examine.ts';
import { withMountHooks } from './hook-phases.ts';
import { type MountedSystem, mountDirectory, mountSystem } from './mount-system.ts';
import { nameVolumes } from './name-volumes.ts';
import type { Observer } from './observer.ts';
import { type FindOptions, findSystem } from './rescue-job.ts';
import type { Session } from './session.ts';
import type { FoundSystem } from './survey.ts';

export type DiagnoseOptions = FindOptions & {
  readonly skipCheck: boolean;
  readonly own: OwnRepairs;
};

export type DiagnosedSystem = {
  readonly system: FoundSystem;
  readonly checks: readonly CheckResult[];
  readonly diagnosis: Diagnosis;
  readonly healthy: boolean;
};

/** What a file system check says, as findings beside the others. */
export const fileSystemFindings = (results: readonly CheckResult[]): readonly Finding[] =>
  results
    .filter((result) => result.outcome === 'damaged')
    .map((result): Finding => {
      const common = { subject: result.device, repair: 'file-system.repair' };
      const evidence = [
        { kind: 'command' as const, command: `check ${result.fsType}`, output: result.detail },
        ...result.evidence.slice(0, 10).map((output) => ({
          kind: 'command' as const,
          command: `check ${result.fsType}`,
          output,
        })),
      ];
      return isOnlyDirty(result)
        ? {
            ...common,
            id: 'file-system.not-replayed',
            severity: 'info',
            title: `The ${result.fsType} on ${result.device} was cut off while it was written.`,
            evidence,
            meaning:
              result.fsType === 'vfat'
                ? 'It has no journal, only a mark, which the file system check of any boot takes away.'
                : 'Its journal is replayed at the next mount, as on any boot.',
            repair: null,
          }
        : {
            ...common,
            id: 'file-system.damaged',
            severity: 'critical',
            title: `The ${result.fsType} on ${result.device} is damaged.`,
            evidence,
            meaning:
              'The boot stops at its file system check, or goes on with a file system that gets worse.',
          };
    });

/** Checks and findings of a mounted system. */
export const diagnoseSubject = async (
  subject: Subject,
  checks: readonly CheckResult[],
  own: OwnRepairs,
  observer: Observer,
): Promise<Diagnosis> =>
  observer.task(
    'Look for what keeps it from booting',
    async () => {
      const diagnosis = await runChecks(subject, [...allChecks, ...own.checks]);
      const findings = [...fileSystemFindings(checks), ...diagnosis.findings];
      return { ...diagnosis, findings };
    },
    ({ findings }) => {
      const count = problemsAmong(findings).length;
      return count === 0 ? 'Nothing was found that keeps it from booting' : `${count} found`;
    },
  );

const mountForLook = (
  session: Session,
  found: { readonly target: { readonly kind: string; readonly path: string } },
  system: FoundSystem,
): Promise<MountedSystem> =>
  found.target.kind === 'directory'
    ? mountDirectory(session, found.target, 'read-only')
    : mountSystem(session, system, { mode: 'read-only', setuid: true, apart: false });

/**
 * Finds out why a system does not boot. Nothing of the target is written: each device is set
 * read-only and mounted with look options.
 *
 * @throws RescueError when no system is found; `COMMAND_FAILED` when its root cannot be mounted and
 *   no check says why.
 */
export const diagnoseTarget = async (
  session: Session,
  options: DiagnoseOptions,
  observer: Observer,
): Promise<DiagnosedSystem> => {
  const found = await findSystem(session, options, observer);
  const system = await nameVolumes(session, found.system, observer.note);
  const checks = options.skipCheck
    ? []
    : await checkFileSystems(
        session,
        checkTargetsOf(system),
        { repair: false, lastResorts: noLastResorts },
        observer,
      );
  const diagnosis = await diagnoseMounted(session, found, system, checks, options.own, observer);
  return { system, checks, diagnosis, healthy: isHealthy(diagnosis) };
};

/** The same error, with what a check could not judge as what to do next. */
const withDetails = (error: RescueError, checks: readonly CheckResult[]): RescueError =>
  new RescueError({
    code: error.code,
    message: error.message,
    hint: [error.hint, ...checks.map(({ device, detail }) => `${device}: ${detail}`)]
      .filter((text) => text !== '')
      .join(' '),
    cause: error,
  });

const diagnoseMounted = async (
  session: Session,
  found: Awaited<ReturnType<typeof findSystem>>,
  system: FoundSystem,
  checks: readonly CheckResult[],
  own: OwnRepairs,
  observer: Observer,
): Promise<Diagnosis> => {
  const damage = fileSystemFindings(checks);
  let mounted: MountedSystem;
  try {
    mounted = await withMountHooks(session, system, 'read-only', () =>
      observer.task(`Mount ${systemTitle(system)} for a look`, () =>
        mountForLook(session, found, system),
      ),
    );
  } catch (error) {
    // The damage that was found is the answer, more cannot be seen of it.
    const isMountError = error instanceof RescueError && error.code === 'COMMAND_FAILED';
    if (isMountError && damage.length > 0) return { findings: damage, notChecked: [] };
    // What the checker could not judge, the kernel of this machine may not know either.
    const unjudged = checks.filter(({ outcome }) => outcome === 'skipped');
    if (isMountError && unjudged.length > 0) throw withDetails(error, unjudged);
    throw error;
  }
  return diagnoseSubject(await examine(session, { system, mounted }), checks, own, observer);
};
