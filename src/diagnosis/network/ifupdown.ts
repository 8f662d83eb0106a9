import { type InterfacesFault, interfacesPath } from '../../system-image/ifupdown.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { hasOther, managerOf, readManagers } from './managers.ts';

/** Debian's ifupdown; ifupdown2, ifupdown-ng and busybox have grammars of their own. */
const isClassic = async (files: SystemFiles): Promise<boolean> => {
  const found = await Promise.all(
    ['/usr/lib/ifupdown/settle-dad.sh', '/lib/ifupdown/settle-dad.sh'].map((path) =>
      files.isFilled(path),
    ),
  );
  return found.includes(true) && !(await files.isDirectory('/usr/share/ifupdown2'));
};

const invalid = (fault: InterfacesFault, alone: boolean): Finding => ({
  id: 'network.interfaces-invalid',
  severity: alone ? 'critical' : 'warning',
  title: `ifupdown cannot read line ${fault.line} of ${fault.path}: ${fault.reason}`,
  subject: `${fault.path}:${fault.line}`,
  evidence: [fileEvidence(fault.path, fault.line, fault.text)],
  meaning:
    'ifup then reads none of the file and brings up no interface, not even those that are right.',
  repair: 'network.interfaces-line',
});

const missing = (alone: boolean): Finding => ({
  id: 'network.interfaces-missing',
  severity: alone ? 'critical' : 'info',
  title: `${interfacesPath} is missing`,
  subject: interfacesPath,
  evidence: [fileEvidence(interfacesPath, null, 'is missing')],
  meaning: 'ifupdown brings up nothing.',
  repair: alone ? 'network.interfaces-missing' : null,
});

/** The configuration of Debian's ifupdown. */
export const ifupdownCheck: Check = {
  area: 'network',
  finds: [
    'network.interfaces-invalid',
    'network.interfaces-missing',
    'network.interfaces-undefined',
  ],
  run: async ({ files }) => {
    const [managers, classic] = await Promise.all([readManagers(files), isClassic(files)]);
    if (!classic || managerOf(managers, 'networking')?.enabled !== true) return [];
    const alone = !hasOther(managers, 'networking');
    const { defined, wanted, faults } = managers.interfaces;
    if ((await files.status(interfacesPath)) === null) return [missing(alone)];
    const patterns = wanted.filter(({ name }) => !/[*?[/=]/.test(name));
    const known = new Set(defined.map(({ name }) => name.split(':')[0]));
    const unknown = patterns.filter(({ name }) => !known.has(name.split(':')[0]));
    return [
      ...faults.map((fault) => invalid(fault, alone)),
      // Where the file is not read at all, that is the fault.
      ...(faults.length > 0 ? [] : unknown).map(
        ({ name, path, line }): Finding => ({
          id: 'network.interfaces-undefined',
          severity: 'info',
          title: `${path} starts ${name}, and no iface line defines it`,
          subject: `${path}:${line}:${name}`,
          evidence: [fileEvidence(path, line, `auto ${name}`)],
          meaning: 'ifup skips it with "unknown interface".',
          repair: null,
        }),
      ),
    ];
  },
};
