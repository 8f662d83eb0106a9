import { firstInside } from '../../system-image/inside.ts';
import { isYamlMapping, yamlFault, yamlKeys } from '../../system-image/yaml-file.ts';
import type { Check } from '../check.ts';
import { commandEvidence, fileEvidence } from '../file-evidence.ts';
import type { Evidence, Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { readManagers } from './managers.ts';
import { type NetplanFault, netplanValueFault } from './netplan-values.ts';

export const netplanPlace = '/etc/netplan';

/** Larger is no configuration that a person wrote, and YAML takes memory. */
export const maxYamlBytes = 256 * 1024;

/** Why netplan refuses the text, as far as every version of it does. */
export const netplanFault = (text: string): NetplanFault | null => {
  const fault = yamlFault(text);
  if (fault !== null) return fault;
  if (!isYamlMapping(text)) return { line: null, reason: 'it is no mapping at its top level' };
  const keys = yamlKeys(text);
  if (keys.length === 0 || keys.includes('network')) return netplanValueFault(text);
  return {
    line: null,
    reason: `its top level has ${keys.join(', ').slice(0, 60)} and not network`,
  };
};

const findingOf = (
  path: string,
  { reason }: NetplanFault,
  evidence: readonly Evidence[],
): Finding => ({
  id: 'network.netplan-invalid',
  severity: 'critical',
  title: `netplan cannot read ${path}: ${reason}`,
  subject: path,
  evidence,
  meaning: 'netplan then makes no configuration at all: the machine boots without network.',
  repair: 'network.netplan-tabs',
});

const lineEvidence = (path: string, text: string, { line, reason }: NetplanFault): Evidence =>
  fileEvidence(path, line, line === null ? reason : (text.split('\n')[line - 1] ?? ''));

const byReading = async (
  { files }: Subject,
  names: readonly string[],
): Promise<readonly Finding[]> => {
  const findings = await Promise.all(
    names.map(async (name) => {
      const path = `${netplanPlace}/${name}`;
      const text = await files.read(path, maxYamlBytes);
      const fault = text === null ? null : netplanFault(text);
      if (text === null || fault === null) return [];
      return [findingOf(path, fault, [lineEvidence(path, text, fault)])];
    }),
  );
  return findings.flat();
};

const copy = '/tmp/netplan';
const generators = ['/usr/libexec/netplan', '/usr/lib/netplan', '/lib/netplan'].map(
  (place) => `${place}/generate`,
);

/** Netplan looks in three directories below its root; that in /run is empty before a boot. */
const script = `mkdir -p ${copy}/etc ${copy}/lib/netplan && cp -r ${netplanPlace} ${copy}/etc/ && {
  cp /lib/netplan/*.yaml ${copy}/lib/netplan/ 2>/dev/null
  exec "$0" --root-dir ${copy}
}`;

const complaint = new RegExp(`^${copy}(/[^:\\s]+):(\\d+):\\d+: (.+)$`, 'm');

/** The system's own generator on a copy of the files; null where it does not come to an answer. */
const byProgram = async (subject: Subject): Promise<readonly Finding[] | null> => {
  const generator = await firstInside(generators, (path) => subject.files.isFilled(path));
  if (generator === null) return null;
  const result = await subject.runInside({ words: ['/bin/sh', '-c', script, generator] });
  if (result === null) return null;
  if (result.exitCode === 0) return [];
  const [whole = '', path, line, said] = complaint.exec(result.stderr) ?? [];
  if (path === undefined || said === undefined) return null;
  const reason = said.replace(/^Error in network definition: /, '');
  const fault: NetplanFault = { line: Number(line), reason };
  const text = (await subject.files.read(path, maxYamlBytes)) ?? '';
  const shown = commandEvidence([generator], whole.replace(copy, ''));
  return [findingOf(path, fault, [lineEvidence(path, text, fault), shown])];
};

/** netplan's files, from which it makes those of networkd or NetworkManager at each boot. */
export const netplanCheck: Check = {
  area: 'network',
  finds: ['network.netplan-invalid'],
  run: async (subject) => {
    const { files } = subject;
    const names = ((await files.list(netplanPlace)) ?? []).filter((name) => /\.yaml$/.test(name));
    if (names.length === 0 || !(await readManagers(files)).netplan) return [];
    const found = await byProgram(subject);
    return found ?? byReading(subject, names);
  },
};
