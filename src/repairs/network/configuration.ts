import { netplanFault } from '../../diagnosis/network/netplan.ts';
import { parseGroups } from '../../system-image/accounts.ts';
import { nearestWord } from '../../system-image/nearest-word.ts';
import { editLines, placesOf } from '../edit-lines.ts';
import { planned, refused, together } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';

/** Lets the user of networkd read the files, and nobody else who could not before. */
export const networkdMode: Repair = {
  id: 'network.networkd-mode',
  stage: 'network',
  title: 'Let systemd-networkd read its files',
  why: 'It runs as the user systemd-network, and leaves out what that user cannot read.',
  risk: 'None.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const groups = parseGroups((await files.read('/etc/group')) ?? '');
    const gid = groups.find(({ name }) => name === 'systemd-network')?.gid;
    if (gid === undefined) {
      return refused('there is no group systemd-network', 'Mend /etc/group first.');
    }
    return planned(
      findings.map(({ subject: path }) => ({
        kind: 'set-attributes',
        path,
        attributes: { mode: 0o640, uid: 0, gid },
      })),
    );
  },
};

/** Sections of systemd.network(5) that a person writes. */
const sections = ['Match', 'Link', 'Network', 'Address', 'Route', 'DHCPv4', 'DHCPv6', 'DHCP'];

const mendedHeader = (line: string): string | null => {
  const name = /^\s*\[\s*([A-Za-z0-9]+)\s*\]?\s*$/.exec(line)?.[1];
  if (name === undefined) return null;
  const known = sections.map((each) => each.toLowerCase());
  const lower = known.includes(name.toLowerCase()) ? name.toLowerCase() : nearestWord(name, known);
  const section = sections.find((each) => each.toLowerCase() === lower);
  return section === undefined ? null : `[${section}]`;
};

/** Closes or corrects the name of a section. */
export const networkdSection: Repair = {
  id: 'network.networkd-section',
  stage: 'network',
  title: "Correct the section names in systemd-networkd's files",
  why: 'networkd leaves out a file with a section name that it cannot read.',
  risk: 'None: only a name that can be no other one is corrected.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const plans = await Promise.all(
      findings.map(async (finding): Promise<RepairPlan> => {
        const path = finding.subject;
        const text = (await files.readForEdit(path)) ?? '';
        const [number] = placesOf([finding]).get(path) ?? [];
        const line = number === undefined ? undefined : text.split('\n')[number - 1];
        const header = line === undefined ? null : mendedHeader(line);
        if (number === undefined || header === null || header === line?.trim()) {
          return refused(
            `which interface ${path} is for cannot be told`,
            'Add a [Match] section, see systemd.network(5).',
          );
        }
        const content = editLines(text, new Map([[number, () => header]]));
        return planned([{ kind: 'write-file', path, content }]);
      }),
    );
    return together(plans);
  },
};

/** Reading YAML takes its time, and netplan's files are small. */
const mostYaml = 1024 * 1024;

/** YAML knows no tabs in front of a line. Netplan's own files have steps of two. */
export const withoutTabs = (text: string): string | null => {
  for (const width of [2, 4, 8]) {
    const spaced = text.replace(/^[ \t]+/gm, (lead) => lead.replaceAll('\t', ' '.repeat(width)));
    if (spaced !== text && netplanFault(spaced) === null) return spaced;
  }
  return null;
};

/** Puts blanks where tabs are, when that alone makes the file readable. */
export const netplanTabs: Repair = {
  id: 'network.netplan-tabs',
  stage: 'network',
  title: "Put blanks in place of tabs in netplan's files",
  why: 'netplan cannot read a file with tabs, and then makes no configuration at all.',
  risk: 'None: nothing else in the file changes.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const plans = await Promise.all(
      findings.map(async ({ subject: path, title }): Promise<RepairPlan> => {
        const content = withoutTabs((await files.readForEdit(path, mostYaml)) ?? '');
        return content === null
          ? refused(
              `${title.replace(/^netplan/, 'netplan still')}, and tabs are not the reason`,
              'Correct the file in a rescue shell; `netplan generate` shows whether netplan can read it.',
            )
          : planned([{ kind: 'write-file', path, content }]);
      }),
    );
    return together(plans);
  },
};

/** NetworkManager reads only what nobody else can. */
export const keyfileMode: Repair = {
  id: 'network.keyfile-mode',
  stage: 'network',
  title: "Give NetworkManager's connections back to root alone",
  why: 'NetworkManager does not read a connection that others can read.',
  risk: 'None.',
  proof: 'container',
  plan: async (_, findings) =>
    planned(
      findings.map(({ subject: path }) => ({
        kind: 'set-attributes',
        path,
        attributes: { mode: 0o600, uid: 0, gid: 0 },
      })),
    ),
};
