import { isFirstBoot } from '../../system-image/units.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { hasOther, type Manager, readManagers } from './managers.ts';

const nothing = 'Nothing brings up the network: the machine boots, and cannot be reached.';

const maskedFinding = (unit: string): Finding => ({
  id: 'network.service-masked',
  severity: 'critical',
  title: `${unit}, which the network is configured for, is masked`,
  subject: unit,
  evidence: [fileEvidence(`/etc/systemd/system/${unit}`, null, 'leads to /dev/null or is empty')],
  meaning: nothing,
  repair: 'network.unmask-service',
});

const disabledFinding = (unit: string): Finding => ({
  id: 'network.service-disabled',
  severity: 'warning',
  title: `The network is configured for ${unit}, and nothing starts it at boot`,
  subject: unit,
  evidence: [
    fileEvidence(`/etc/systemd/system/multi-user.target.wants/${unit}`, null, 'is missing'),
  ],
  meaning: nothing,
  repair: 'network.enable-service',
});

const findingFor = ({ name, installed, enabled, masked, configured }: Manager): Finding | null => {
  const unit = `${name}.service`;
  if (!installed || !configured) return null;
  if (masked) return maskedFinding(unit);
  return enabled ? null : disabledFinding(unit);
};

const nothingFinding: Finding = {
  id: 'network.nothing-configured',
  severity: 'info',
  title: 'No service that brings up the network is started at boot',
  subject: 'network',
  evidence: [fileEvidence('/etc/systemd/system', null, 'starts none of the known services')],
  meaning: 'Right for a container or a machine without network; otherwise it cannot be reached.',
  repair: null,
};

/** Whether something starts that the network is configured for. */
export const servicesCheck: Check = {
  area: 'network',
  finds: ['network.service-masked', 'network.service-disabled', 'network.nothing-configured'],
  run: async ({ files, facts }) => {
    if (facts.init !== 'systemd') return [];
    const managers = await readManagers(files);
    // Of one that starts and has no program the check for it tells.
    const running = managers.all.filter(({ enabled, masked, starts }) =>
      enabled ? !masked : starts,
    );
    // One that runs may do for all; netplan and cloud-init write for the others at each boot.
    const fresh = await isFirstBoot(files);
    if (running.length > 0 || managers.others || managers.netplan || fresh) return [];
    const findings = managers.all
      .filter(({ name }) => !hasOther(managers, name))
      .map(findingFor)
      .filter((finding) => finding !== null);
    return findings.length > 0 ? findings : [nothingFinding];
  },
};
