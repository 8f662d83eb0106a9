import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import { type ServiceFault, serviceEvidence, serviceFaults } from '../service-programs.ts';
import { faultWords } from '../userland/fault-words.ts';
import { hasOther, type Manager, type Managers, readManagers } from './managers.ts';

/** Another one that brings up the network, or nothing that this one is configured for, lessens it. */
const isAlone = (managers: Managers, { name, configured }: Manager): boolean =>
  (configured || (managers.netplan && name !== 'networking')) && !hasOther(managers, name);

const findingOf = (one: ServiceFault, alone: boolean): Finding => ({
  id: 'network.service-program',
  severity: alone ? 'critical' : 'warning',
  title: `${one.unit} starts at boot, and its program cannot be run: ${one.fault.path} ${faultWords(one.fault)}`,
  subject: one.fault.path,
  evidence: serviceEvidence(one),
  meaning: alone
    ? 'Nothing brings up the network: the machine boots, and cannot be reached.'
    : 'What this service configures has no network.',
  repair: 'userland.restore-file',
});

/** Whether what brings up the network is there and whole, with loader and libraries. */
export const serviceProgramsCheck: Check = {
  area: 'network',
  finds: ['network.service-program'],
  run: async (subject) => {
    const { files, facts } = subject;
    if (facts.init !== 'systemd') return [];
    const managers = await readManagers(files);
    const starting = managers.all.filter(({ starts }) => starts);
    const found = await Promise.all(
      starting.map(async (manager) => {
        const faults = await serviceFaults(subject, [`${manager.name}.service`]);
        return faults.map((fault) => findingOf(fault, isAlone(managers, manager)));
      }),
    );
    return found.flat();
  },
};
