import { sshServiceNames } from '../../system-image/ssh-service.ts';
import { readUnits, startsAtBoot } from '../../system-image/units.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { type ServiceFault, serviceEvidence, serviceFaults } from '../service-programs.ts';
import type { Subject } from '../subject.ts';
import { isExpected } from '../userland/essential-programs.ts';
import { faultWords } from '../userland/fault-words.ts';

const off = '/etc/ssh/sshd_not_to_be_run';

/** Services that the boot or the first connection starts: a socket may start an instance for each. */
const startedServices = async ({ files }: Subject): Promise<readonly string[]> => {
  const units = await readUnits(files);
  // Debian's units do not start while that file is there.
  if ((await files.status(off)) !== null) return [];
  return sshServiceNames.flatMap((name) => {
    const service = `${name}.service`;
    if (units.masked.has(service)) return [];
    const socket = units.wantedBy.has(`${name}.socket`) && units.installed.has(`${name}.socket`);
    if (socket && units.installed.has(`${name}@.service`)) return [`${name}@0.service`];
    const starts = socket || units.wantedBy.has(service);
    return starts && units.installed.has(service) ? [service] : [];
  });
};

/** What keeps the ssh service that starts at boot from running its program. */
export const sshProgramFaults = async (subject: Subject): Promise<readonly ServiceFault[]> =>
  serviceFaults(subject, await startedServices(subject));

const findingOf = (path: string, words: string, evidence: Finding['evidence']): Finding => ({
  id: 'access.sshd-program',
  severity: 'critical',
  title: `The ssh service starts at boot, and its program cannot be run: ${path} ${words}`,
  subject: path,
  evidence,
  meaning: 'The ssh service fails, and nobody can log in over the network.',
  repair: 'userland.restore-file',
});

const ofUnit = (one: ServiceFault): Finding =>
  findingOf(one.fault.path, faultWords(one.fault), serviceEvidence(one));

/** A script of sysvinit does nothing without the program, so that only the package tells of it. */
const ofScript = async (subject: Subject): Promise<readonly Finding[]> => {
  const { files } = subject;
  const path = '/usr/sbin/sshd';
  if (await files.isFilled(path)) return [];
  const starts = await startsAtBoot(files, await readUnits(files), sshServiceNames);
  const expected = await isExpected(subject, { paths: [path], packages: ['openssh-server'] });
  if (!starts || !expected) return [];
  const words = (await files.status(path)) === null ? 'is missing' : 'is empty';
  return [findingOf(path, words, [fileEvidence(path, null, words)])];
};

/** Whether what the ssh service runs is there and whole, with loader and libraries. */
export const sshdProgramCheck: Check = {
  area: 'access',
  finds: ['access.sshd-program'],
  run: async (subject) => {
    if (subject.facts.init === 'sysvinit') return ofScript(subject);
    if (subject.facts.init !== 'systemd') return [];
    return (await sshProgramFaults(subject)).map(ofUnit);
  },
};
