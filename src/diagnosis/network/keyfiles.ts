import { parseIni } from '../../system-image/ini-file.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import type { Check } from '../check.ts';
import { fileEvidence, octalMode } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { managerOf, readManagers } from './managers.ts';

const place = '/etc/NetworkManager/system-connections';

// What NetworkManager itself passes over (nms-keyfile-utils.c).
const passedOver = /^\.|~$|\.(?:rpmsave|rpmorig|rpmnew|swp|swx|dpkg-\w+|pem|der|crt|cer|bak)$/;

const ignored = 'NetworkManager does not read the file: that connection is not there.';

const findingsFor = async (files: SystemFiles, path: string): Promise<Finding | null> => {
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

/** NetworkManager's connections, each a key file that only root may read. */
export const keyfilesCheck: Check = {
  area: 'network',
  finds: ['network.keyfile-mode', 'network.keyfile-invalid'],
  run: async ({ files }) => {
    const manager = managerOf(await readManagers(files), 'NetworkManager');
    if (manager?.enabled !== true) return [];
    const names = ((await files.list(place)) ?? []).filter((name) => !passedOver.test(name));
    const findings = await Promise.all(names.map((name) => findingsFor(files, `${place}/${name}`)));
    return findings.filter((finding) => finding !== null);
  },
};
