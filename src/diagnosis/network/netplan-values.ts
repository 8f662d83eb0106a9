import { type YamlLeaf, yamlLeaves } from '../../system-image/yaml-file.ts';

export type NetplanFault = { readonly line: number | null; readonly reason: string };

const kinds = new Set([
  ...['ethernets', 'wifis', 'modems', 'bonds', 'bridges', 'vlans', 'tunnels', 'vrfs'],
  'dummy-devices',
]);

const switches = new Set([
  ...['dhcp4', 'dhcp6', 'optional', 'critical', 'wakeonlan', 'accept-ra', 'ipv6-privacy'],
  'emit-lldp',
]);

/** Netplan's own words, whatever YAML makes of them. */
const isSwitch = (text: string): boolean => /^(?:true|false|on|off|yes|no|y|n)$/i.test(text);

const addressReason = (address: string): string | null => {
  const [host = '', prefix] = address.split('/');
  if (!/^[0-9a-f.:]+$/i.test(host)) return null;
  if (prefix === undefined) return `address '${address}' is missing /prefixlength`;
  const longest = host.includes(':') ? 128 : 32;
  return /^\d+$/.test(prefix) && Number(prefix) <= longest
    ? null
    : `invalid prefix length in address '${address}'`;
};

const reasonOf = ({ path, text }: YamlLeaf): string | null => {
  const [, kind = '', id, key = '', , address] = path;
  if (path.length === 2 && kind === 'version') {
    return text === '2' ? null : 'Only version 2 is supported';
  }
  if (!kinds.has(kind) || id === undefined) return null;
  if (path.length === 4 && switches.has(key)) {
    return isSwitch(text) ? null : `invalid boolean value '${text}' for ${key}`;
  }
  if (key !== 'addresses') return null;
  if (path.length === 4) return text === '' ? null : 'addresses has to be a list';
  return addressReason(path.length === 5 ? text : (address ?? ''));
};

/** The first value that every version of netplan refuses; null when there is none (netplan-yaml). */
export const netplanValueFault = (text: string): NetplanFault | null => {
  for (const leaf of yamlLeaves(text)) {
    const reason = leaf.path[0] === 'network' ? reasonOf(leaf) : null;
    if (reason !== null) return { line: leaf.line, reason };
  }
  return null;
};
