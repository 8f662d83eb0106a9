import { parseGroups } from '../../system-image/accounts.ts';
import { parseIni } from '../../system-image/ini-file.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import type { Check } from '../check.ts';
import { fileEvidence, octalMode } from '../file-evidence.ts';
import type { Evidence, Finding } from '../finding.ts';
import { hasOther, managerOf, readManagers } from './managers.ts';

const place = '/etc/systemd/network';

type NetworkFile = {
  readonly path: string;
  readonly fault: {
    readonly id: 'network.networkd-unreadable' | 'network.networkd-invalid';
    readonly reason: string;
    readonly evidence: readonly Evidence[];
  } | null;
};

/** networkd runs as a user of its own, who must be able to read the file. */
const unreadable = async (files: SystemFiles, path: string): Promise<NetworkFile['fault']> => {
  const [status, groupText] = await Promise.all([files.status(path), files.read('/etc/group')]);
  if (status === null || (status.mode & 0o004) !== 0) return null;
  const group = parseGroups(groupText ?? '').find(({ name }) => name === 'systemd-network');
  if (group === undefined) return null;
  if (status.gid === group.gid && (status.mode & 0o040) !== 0) return null;
  const reason = `mode ${octalMode(status.mode)}, group ${status.gid}: the user systemd-network cannot read it`;
  return {
    id: 'network.networkd-unreadable',
    reason,
    evidence: [fileEvidence(path, null, reason)],
  };
};

/** Line faults are skipped by systemd with a message, but for a section name without its end. */
const invalid = (path: string, text: string): NetworkFile['fault'] => {
  const { sections, faults } = parseIni(text, true);
  const id = 'network.networkd-invalid';
  const header = faults.find((fault) => fault.text.startsWith('['));
  if (header !== undefined) {
    const evidence = [fileEvidence(path, header.line, header.text)];
    return { id, reason: `line ${header.line}: ${header.reason}`, evidence };
  }
  const match = sections.filter(({ name }) => name === 'Match');
  if (text.trim() === '' || match.some(({ entries }) => entries.length > 0)) return null;
  const near = sections.find(({ name }) => name.toLowerCase() === 'match' || name === 'Macth');
  const reason = 'it has no [Match] section with anything in it, so it is for no interface';
  const at = near ?? match[0];
  const evidence = [
    fileEvidence(path, at?.line ?? null, at === undefined ? reason : `[${at.name}]`),
  ];
  return { id, reason, evidence };
};

const readFile = async (files: SystemFiles, path: string): Promise<NetworkFile> => {
  const text = await files.read(path);
  if (text === null) return { path, fault: null };
  return { path, fault: (await unreadable(files, path)) ?? invalid(path, text) };
};

const repairs = {
  'network.networkd-unreadable': 'network.networkd-mode',
  'network.networkd-invalid': 'network.networkd-section',
} as const;

const findingOf = ({ path, fault }: NetworkFile, alone: boolean): readonly Finding[] =>
  fault === null
    ? []
    : [
        {
          id: fault.id,
          severity: alone ? 'critical' : 'warning',
          title: `systemd-networkd leaves out ${path}: ${fault.reason}`,
          subject: path,
          evidence: fault.evidence,
          meaning: alone
            ? 'No interface is configured: the machine boots, and cannot be reached.'
            : 'The interfaces that the file is for are not configured by it.',
          repair: repairs[fault.id],
        },
      ];

/** systemd-networkd's own files, where it is what brings up the network. */
export const networkdCheck: Check = {
  area: 'network',
  finds: ['network.networkd-unreadable', 'network.networkd-invalid'],
  run: async ({ files }) => {
    const managers = await readManagers(files);
    if (managerOf(managers, 'systemd-networkd')?.enabled !== true) return [];
    const names = ((await files.list(place)) ?? []).filter((name) => /\.network$/.test(name));
    const all = await Promise.all(names.map((name) => readFile(files, `${place}/${name}`)));
    const alone =
      all.every(({ fault }) => fault !== null) &&
      !managers.netplan &&
      !hasOther(managers, 'systemd-networkd');
    return all.flatMap((file) => findingOf(file, alone));
  },
};
