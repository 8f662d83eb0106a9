import { parseIni } from '../../system-image/ini-file.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import type { Check } from '../check.ts';
import { fileEvidence, octalMode } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { hasOther, managerOf, readManagers } from './managers.ts';

const place = '/etc/NetworkManager/system-connections';

// What NetworkManager itself passes over (nms-keyfile-utils.c).
const passedOver = /^\.|~$|\.(?:rpmsave|rpmorig|rpmnew|swp|swx|dpkg-\w+|pem|der|crt|cer|bak)$/;

const ignored = 'NetworkManager does not read the file: that connection is not there.';

const findingFor = async (files: SystemFiles, path: string): Promise<Finding | null> => {
  const [status, text] = await Promise.all([files.status(path), files.read(path)]);
  if (status?.kind !== 'file' || text === null) return null;
  const open = (status.mode & 0o077) !== 0 || status.uid !== 0;
  if (open) {
    const reason = `owner ${status.uid}, mode ${octalMode(status.mode)}`;
    return {
      id: 'network.keyfile-mode',
      severity: 'warning',
      title: `NetworkManager refuses ${path}: it must belong to root, and nobody else may read it`,
      subject: path,
      evidence: [fileEvidence(path, null, reason)],
      meaning: ignored,
      repair: 'network.keyfile-mode',
    };
  }
  const { faults, sections } = parseIni(text, false);
  const [fault] = faults;
  const typed = sections.some(({ name }) => name === 'connection');
  if (fault === undefined && typed) return null;
  const reason = fault?.reason ?? 'it has no [connection] section';
  return {
    id: 'network.keyfile-invalid',
    severity: 'warning',
    title: `NetworkManager cannot read ${path}: ${reason}`,
    subject: path,
    // A line may hold a passphrase: only where it is gets shown.
    evidence: [fileEvidence(path, fault?.line ?? null, reason)],
    meaning: ignored,
    repair: null,
  };
};

const nobodyElse =
  'None of its connections is read: the machine has no address that was given to it, at best one by DHCP.';

const mainConfig = '/etc/NetworkManager/NetworkManager.conf';
const configPlace = '/etc/NetworkManager/conf.d';

/** The daemon's own settings: for one line that it cannot read it ends before it has begun. */
const configFinding = async (
  files: SystemFiles,
  path: string,
  alone: boolean,
): Promise<readonly Finding[]> => {
  const text = await files.read(path);
  const [fault] = text === null ? [] : parseIni(text, false).faults;
  if (fault === undefined) return [];
  return [
    {
      id: 'network.manager-config-invalid',
      severity: alone ? 'critical' : 'warning',
      title: `NetworkManager does not start for line ${fault.line} of ${path}: ${fault.reason}`,
      subject: path,
      evidence: [fileEvidence(path, fault.line, fault.text)],
      meaning: 'NetworkManager ends with "Failed to read configuration": no interface is set up.',
      repair: null,
    },
  ];
};

/** NetworkManager's settings, and its connections, each a key file that only root may read. */
export const keyfilesCheck: Check = {
  area: 'network',
  finds: ['network.keyfile-mode', 'network.keyfile-invalid', 'network.manager-config-invalid'],
  run: async ({ files }) => {
    const managers = await readManagers(files);
    if (managerOf(managers, 'NetworkManager')?.enabled !== true) return [];
    const alone = !hasOther(managers, 'NetworkManager');
    const [connections, vendor, parts] = await Promise.all([
      files.list(place),
      files.list('/usr/lib/NetworkManager/system-connections'),
      files.list(configPlace),
    ]);
    const names = (connections ?? []).filter((name) => !passedOver.test(name));
    const read = await Promise.all(names.map((name) => findingFor(files, `${place}/${name}`)));
    const findings = read.filter((finding) => finding !== null);
    const none = alone && findings.length === names.length && (vendor ?? []).length === 0;
    const configs = [
      mainConfig,
      ...(parts ?? [])
        .filter((name) => name.endsWith('.conf'))
        .map((name) => `${configPlace}/${name}`),
    ];
    const broken = await Promise.all(configs.map((path) => configFinding(files, path, alone)));
    return [
      ...broken.flat(),
      ...findings.map(
        (finding): Finding =>
          none ? { ...finding, severity: 'critical', meaning: nobodyElse } : finding,
      ),
    ];
  },
};
