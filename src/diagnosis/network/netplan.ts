import { isYamlMapping, yamlFault, yamlKeys } from '../../system-image/yaml-file.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { readManagers } from './managers.ts';

export const netplanPlace = '/etc/netplan';

/** Larger is no configuration that a person wrote, and YAML takes memory. */
export const maxYamlBytes = 256 * 1024;

export type NetplanFault = { readonly line: number | null; readonly reason: string };

/** Why netplan refuses the text; what its schema says of single keys is left to netplan. */
export const netplanFault = (text: string): NetplanFault | null => {
  const fault = yamlFault(text);
  if (fault !== null) return fault;
  if (!isYamlMapping(text)) return { line: null, reason: 'it is no mapping at its top level' };
  const keys = yamlKeys(text);
  if (keys.length === 0 || keys.includes('network')) return null;
  return {
    line: null,
    reason: `its top level has ${keys.join(', ').slice(0, 60)} and not network`,
  };
};

const findingOf = (path: string, text: string, { line, reason }: NetplanFault): Finding => ({
  id: 'network.netplan-invalid',
  severity: 'critical',
  title: `netplan cannot read ${path}: ${reason}`,
  subject: path,
  evidence: [fileEvidence(path, line, line === null ? reason : (text.split('\n')[line - 1] ?? ''))],
  meaning: 'netplan then makes no configuration at all: the machine boots without network.',
  repair: 'network.netplan-tabs',
});

/** netplan's files, from which it makes those of networkd or NetworkManager at each boot. */
export const netplanCheck: Check = {
  area: 'network',
  finds: ['network.netplan-invalid'],
  run: async ({ files }) => {
    const names = ((await files.list(netplanPlace)) ?? []).filter((name) => /\.yaml$/.test(name));
    if (names.length === 0 || !(await readManagers(files)).netplan) return [];
    const findings = await Promise.all(
      names.map(async (name) => {
        const path = `${netplanPlace}/${name}`;
        const text = await files.read(path, maxYamlBytes);
        const fault = text === null ? null : netplanFault(text);
        return text === null || fault === null ? [] : [findingOf(path, text, fault)];
      }),
    );
    return findings.flat();
  },
};
