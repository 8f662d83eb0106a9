import { administratorUnits } from '../../system-image/systemd-units.ts';
import { isFirstBoot, readUnits } from '../../system-image/units.ts';
import { yamlFault, yamlLeaves } from '../../system-image/yaml-file.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
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

const disabledFinding = (evidence: Finding['evidence']): Finding => ({
  id: 'network.cloud-init-disabled',
  severity: 'info',
  title: 'cloud-init is installed and switched off',
  subject: 'cloud-init',
  evidence,
  meaning:
    'Keys, host name and network from the cloud are not applied: on another machine the old settings stay.',
  repair: null,
});

const networkFinding = (path: string, line: number): Finding => ({
  id: 'network.cloud-init-disabled',
  severity: 'info',
  title: 'cloud-init leaves the network alone',
  subject: path,
  evidence: [fileEvidence(path, line, 'network: {config: disabled}')],
  meaning: 'The network is as the files of the system say, on whichever machine the disk is.',
  repair: null,
});

/** Units of all versions; what the generator of cloud-init pulls in is its target. */
const units = [
  ...['cloud-init-local', 'cloud-init', 'cloud-init-network', 'cloud-init-main', 'cloud-config'],
  'cloud-final',
].map((name) => `${name}.service`);

const offByUnits = async ({ files, facts }: Subject): Promise<Finding['evidence']> => {
  if (facts.init !== 'systemd' || (await isFirstBoot(files))) return [];
  const { installed, masked, wantedBy } = await readUnits(files);
  const known = units.filter((unit) => installed.has(unit) || masked.has(unit));
  const off = [...known, 'cloud-init.target'].filter((unit) => masked.has(unit));
  if (off.length > 0) {
    const said = 'leads to /dev/null or is empty';
    return off.map((unit) => fileEvidence(`${administratorUnits}/${unit}`, null, said));
  }
  if (known.length === 0 || known.some((unit) => wantedBy.has(unit))) return [];
  return [fileEvidence(administratorUnits, null, `starts none of ${known.join(', ')}`)];
};

/** The entry that starts by itself decides; where none is known to, all of them. */
const offByCommandLine = async (subject: Subject): Promise<Finding['evidence']> => {
  const entries = await bootEntriesOf(subject);
  const chosen = entries.filter(({ isDefault }) => isDefault);
  const decisive = chosen.length > 0 ? chosen : entries;
  const off = decisive.filter(({ options }) => options.split(/\s+/).includes(word));
  if (off.length === 0 || off.length < decisive.length) return [];
  return off.slice(0, 1).map(({ path, kernelLine }) => fileEvidence(path, kernelLine, word));
};

const word = 'cloud-init=disabled';
const mark = '/etc/cloud/cloud-init.disabled';

const disabled = async (
  subject: Subject,
  texts: ReadonlyMap<string, string>,
): Promise<readonly Finding[]> => {
  const isMarked = (await subject.files.status(mark)) !== null;
  const [line, unit] = await Promise.all([offByCommandLine(subject), offByUnits(subject)]);
  const none = [...texts].flatMap(([path, text]) => {
    const lines = text.split('\n');
    const at = lines.findIndex((one) => /^datasource_list:\s*\[\s*['"]?None['"]?\s*\]/.test(one));
    return at === -1 ? [] : [fileEvidence(path, at + 1, lines[at] ?? '')];
  });
  const evidence = [
    ...(isMarked ? [fileEvidence(mark, null, 'is there')] : []),
    ...[...line, ...unit, ...none],
  ];
  if (evidence.length > 0) return [disabledFinding(evidence)];
  return [...texts].flatMap(([path, text]) => {
    const at = yamlLeaves(text).find(
      (leaf) => leaf.path.join('.') === 'network.config' && leaf.text === 'disabled',
    );
    return at === undefined ? [] : [networkFinding(path, at.line)];
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
