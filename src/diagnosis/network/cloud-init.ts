import { yamlFault } from '../../system-image/yaml-file.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { maxYamlBytes } from './netplan.ts';

const main = '/etc/cloud/cloud.cfg';
const place = '/etc/cloud/cloud.cfg.d';

const brokenFinding = (path: string, text: string, line: number, reason: string): Finding => ({
  id: 'network.cloud-config-broken',
  severity: 'warning',
  title: `cloud-init cannot read ${path}: ${reason}`,
  subject: path,
  evidence: [fileEvidence(path, line, text.split('\n')[line - 1] ?? '')],
  meaning:
    path === main
      ? 'cloud-init goes on without its main configuration: no accounts, keys, host name or network from the cloud.'
      : 'cloud-init goes on without this file and what it sets.',
  repair: null,
});

const disabledFinding = (path: string, line: number | null, text: string): Finding => ({
  id: 'network.cloud-init-disabled',
  severity: 'info',
  title: 'cloud-init is installed and switched off',
  subject: 'cloud-init',
  evidence: [fileEvidence(path, line, text)],
  meaning:
    'Keys, host name and network from the cloud are not applied: on another machine the old settings stay.',
  repair: null,
});

const disabled = async ({ files }: Subject, texts: ReadonlyMap<string, string>) => {
  const mark = '/etc/cloud/cloud-init.disabled';
  if ((await files.status(mark)) !== null) return [disabledFinding(mark, null, 'is there')];
  return [...texts].flatMap(([path, text]) => {
    const lines = text.split('\n');
    const at = lines.findIndex((line) => /^datasource_list:\s*\[\s*['"]?None['"]?\s*\]/.test(line));
    return at === -1 ? [] : [disabledFinding(path, at + 1, lines[at] ?? '')];
  });
};

/** cloud-init's configuration, and whether it runs at all. */
export const cloudInitCheck: Check = {
  area: 'network',
  finds: ['network.cloud-config-broken', 'network.cloud-init-disabled'],
  run: async (subject) => {
    const { files } = subject;
    if (!(await files.isFilled('/usr/bin/cloud-init'))) return [];
    const names = ((await files.list(place)) ?? []).filter((name) => /\.cfg$/.test(name));
    const paths = [main, ...names.map((name) => `${place}/${name}`)];
    const read = await Promise.all(
      paths.map(async (path) => [path, (await files.read(path, maxYamlBytes)) ?? ''] as const),
    );
    const texts = new Map(read);
    const broken = read.flatMap(([path, text]) => {
      // A template of jinja is filled in before it is YAML.
      const fault = /^\s*##\s*template:/.test(text) ? null : yamlFault(text);
      return fault === null ? [] : [brokenFinding(path, text, fault.line, fault.reason)];
    });
    return [...broken, ...(await disabled(subject, texts))];
  },
};
