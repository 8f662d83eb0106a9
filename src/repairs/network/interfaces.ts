import type { Finding } from '../../diagnosis/finding.ts';
import { interfaceMethods, interfacesPath, readInterfaces } from '../../system-image/ifupdown.ts';
import { nearestWord } from '../../system-image/nearest-word.ts';
import { asComment, editLines, placesOf } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';

/** Corrects a mistyped family or method; null when it is not one letter off. */
const correctedIface = (line: string): string | null => {
  const [, head = '', family = '', gap = '', method = '', tail = ''] =
    /^(\s*iface\s+\S+\s+)(\S+)(\s+)(\S+)(.*)$/.exec(line) ?? [];
  const families = Object.keys(interfaceMethods);
  const goodFamily = families.includes(family) ? family : nearestWord(family, families);
  const methods = interfaceMethods[goodFamily ?? ''] ?? [];
  const goodMethod = methods.includes(method) ? method : nearestWord(method, methods);
  if (goodFamily === null || goodMethod === null) return null;
  return `${head}${goodFamily}${gap}${goodMethod}${tail}`;
};

const keywords = ['iface', 'auto', 'allow-hotplug', 'source', 'mapping'];

/** A mistyped keyword, an iface line, or an option that belongs to nothing. */
const mended = (line: string): string | null => {
  if (/^\s*iface\s/.test(line)) return correctedIface(line);
  const [, lead = '', word = '', rest = ''] = /^(\s*)(\S+)(.*)$/.exec(line) ?? [];
  const keyword =
    keywords.find((each) => each === word.toLowerCase()) ?? nearestWord(word, keywords);
  if (keyword === null || lead !== '' || rest === '') return asComment(line);
  return keyword === 'iface' ? correctedIface(`iface${rest}`) : `${keyword}${rest}`;
};

const unsure = (path: string, line: number): RepairPlan =>
  refused(
    `what line ${line} of ${path} was meant to say cannot be told`,
    'Correct the line in a rescue shell; `ifquery --list` shows whether ifupdown can read the file.',
  );

/** Corrects what can be only a slip, and comments out what belongs to nothing. */
export const interfacesLine: Repair = {
  id: 'network.interfaces-line',
  stage: 'network',
  title: 'Mend the lines of /etc/network/interfaces that ifupdown cannot read',
  why: 'Because of one such line ifupdown brings up no interface at all.',
  risk: 'A stray option that is commented out no longer sets anything; ifupdown did not read it before.',
  proof: 'container',
  plan: async ({ files }, findings: readonly Finding[]) => {
    const changes = [];
    for (const [path, numbers] of placesOf(findings)) {
      const text = (await files.readForEdit(path)) ?? '';
      const lines = text.split('\n');
      const edits = new Map<number, () => string>();
      for (const number of numbers) {
        const line = mended(lines[number - 1] ?? '');
        if (line === null || lines[number - 1]?.endsWith('\\')) return unsure(path, number);
        edits.set(number, () => line);
      }
      changes.push({ kind: 'write-file', path, content: editLines(text, edits) } as const);
    }
    return planned(changes);
  },
};

const leases = '/var/lib/dhcp';

/** What Debian's installer writes. */
const dhcpFile = (name: string): string =>
  [
    '# This file describes the network interfaces available on your system',
    '# and how to activate them. For more information, see interfaces(5).',
    '',
    'source /etc/network/interfaces.d/*',
    '',
    '# The loopback network interface',
    'auto lo',
    'iface lo inet loopback',
    '',
    '# The primary network interface',
    `allow-hotplug ${name}`,
    `iface ${name} inet dhcp`,
    '',
  ].join('\n');

/** dhclient leaves a file for each interface that it has had an address for. */
const leasedNames = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => /^dhclient\.([a-z][a-z0-9]*)\.leases$/.exec(name)?.[1] ?? []);

/** Writes the file again when the leases on the disk say what was in it. */
export const interfacesMissing: Repair = {
  id: 'network.interfaces-missing',
  stage: 'network',
  title: 'Write /etc/network/interfaces again for the interface that had its address by DHCP',
  why: 'ifupdown brings up nothing without the file.',
  risk: 'Addresses and options that were set by hand are lost.',
  proof: 'container',
  plan: async ({ files }) => {
    const names = leasedNames((await files.list(leases)) ?? []);
    const [name] = names;
    const { paths } = await readInterfaces(files);
    if (names.length !== 1 || name === undefined || paths.length > 0) {
      return refused(
        'which interface the machine has, and how it got its address, is not on the disk',
        `Write ${interfacesPath} in a rescue shell, see interfaces(5).`,
      );
    }
    const attributes = { mode: 0o644, uid: 0, gid: 0 };
    return planned([
      { kind: 'write-file', path: interfacesPath, content: dhcpFile(name), attributes },
    ]);
  },
};
