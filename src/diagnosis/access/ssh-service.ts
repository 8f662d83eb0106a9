import { readSshService, sshServiceNames } from '../../system-image/ssh-service.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { isFirstBoot } from '../../system-image/units.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';

const unitNames = sshServiceNames.map((name) => `${name}.service`);

/** Debian remembers what its packages had enabled, also when a person disabled it later. */
const wasEnabled = async (files: SystemFiles): Promise<boolean> => {
  const state = '/var/lib/systemd/deb-systemd-helper-enabled/multi-user.target.wants/ssh.service';
  return (await files.status(state)) !== null;
};

const hasKeys = async (files: SystemFiles): Promise<boolean> => {
  const homes = (await files.list('/home')) ?? [];
  const paths = ['/root', ...homes.slice(0, 200).map((name) => `/home/${name}`)];
  const found = await Promise.all(
    paths.map((home) => files.isFilled(`${home}/.ssh/authorized_keys`)),
  );
  return found.includes(true);
};

const maskedFinding = (unit: string): Finding => ({
  id: 'access.ssh-masked',
  severity: 'critical',
  title: `The ssh server is installed, and its unit ${unit} is masked`,
  subject: unit,
  evidence: [fileEvidence(`/etc/systemd/system/${unit}`, null, 'leads to /dev/null or is empty')],
  meaning: 'systemd does not start a masked unit: nobody can log in over the network.',
  repair: 'access.unmask-ssh',
});

const disabledFinding = (unit: string, severity: Finding['severity']): Finding => ({
  id: 'access.ssh-disabled',
  severity,
  title: `The ssh server is installed, and nothing starts ${unit} at boot`,
  subject: unit,
  evidence: [
    fileEvidence(`/etc/systemd/system/multi-user.target.wants/${unit}`, null, 'is missing'),
  ],
  meaning: 'Nobody can log in over the network unless the service is started by hand.',
  // Many systems bring the server and leave it to a person to start it.
  repair: severity === 'info' ? null : 'access.enable-ssh',
});

/** Whether the ssh server that is installed is also started. */
export const sshServiceCheck: Check = {
  area: 'access',
  finds: ['access.ssh-masked', 'access.ssh-disabled'],
  run: async ({ files, facts }) => {
    const { program, enabled, units } = await readSshService(files);
    if (program === null || facts.init !== 'systemd') return [];
    const socket = ['ssh.socket', 'sshd.socket'].find((unit) => units.wantedBy.has(unit));
    const masked = unitNames.filter((unit) => units.masked.has(unit) && units.installed.has(unit));
    const usable = socket !== undefined && !units.masked.has(socket);
    // ssh.service masked with the socket in use still means no ssh: the socket starts the service.
    if (masked.length > 0 && !(usable && units.installed.has('ssh@.service'))) {
      return masked.map(maskedFinding);
    }
    const unit = unitNames.find((name) => units.installed.has(name));
    if (enabled || unit === undefined) return [];
    if (await isFirstBoot(files)) return [];
    const missed = (await wasEnabled(files)) && (await hasKeys(files));
    return [disabledFinding(unit, missed ? 'warning' : 'info')];
  },
};
