import { resolvConf, resolvedRuns } from '../../diagnosis/network/resolv-conf.ts';
import { firstInside } from '../../system-image/inside.ts';
import { nsswitchPath } from '../../system-image/nsswitch.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { readUnits } from '../../system-image/units.ts';
import { editLines, placesOf, throughLinks } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { enableUnit, unmaskUnit } from '../unit-links.ts';

const name = /^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9]))*$/;

/** Debian's installer gives the machine's name the address 127.0.1.1. */
const nameInHosts = (hosts: string): string | null => {
  const line = hosts.split('\n').find((each) => /^127\.0\.1\.1\s/.test(each));
  const names = line?.replace(/#.*$/, '').trim().split(/\s+/).slice(1) ?? [];
  return names.find((each) => !each.includes('.')) ?? names[0] ?? null;
};

/** Keeps the one name that can be meant. */
export const hostnameRepair: Repair = {
  id: 'network.hostname',
  stage: 'network',
  title: 'Put the one valid name into /etc/hostname',
  why: 'What is no host name is not taken, and the machine calls itself localhost.',
  risk: 'None.',
  proof: 'container',
  plan: async ({ files }) => {
    const [text, hosts] = await Promise.all([
      files.read('/etc/hostname'),
      files.read('/etc/hosts'),
    ]);
    const lines = (text ?? '').split('\n').filter((line) => !line.trim().startsWith('#'));
    const words = lines.join(' ').split(/[\s,;]+/);
    const valid = [...new Set(words.filter((word) => name.test(word) && word.length <= 64))];
    const recorded = nameInHosts(hosts ?? '');
    const wanted = valid.length === 1 && words.length > 1 ? (valid[0] ?? null) : recorded;
    if (wanted === null || !name.test(wanted)) {
      return refused(
        'the name that is meant is nowhere on the disk',
        'Write it into /etc/hostname in a rescue shell.',
      );
    }
    return planned([{ kind: 'write-file', path: '/etc/hostname', content: `${wanted}\n` }]);
  },
};

/** The text with localhost in it: in the line of 127.0.0.1 when there is one, else in one of its own. */
export const withLocalhost = (text: string): string => {
  const index = text.split('\n').findIndex((line) => /^\s*127\.0\.0\.1(?:\s|$)/.test(line));
  if (index === -1) return `127.0.0.1\tlocalhost\n${text}`;
  const add = (line: string) => line.replace(/^(\s*127\.0\.0\.1)(\s*)/, '$1\tlocalhost ').trimEnd();
  return editLines(text, new Map([[index + 1, add]]));
};

/** Gives localhost its address. */
export const hostsLocalhost: Repair = {
  id: 'network.hosts-localhost',
  stage: 'network',
  title: 'Give localhost its address in /etc/hosts',
  why: 'Services that talk to localhost fail or wait for a name server.',
  risk: 'None.',
  proof: 'container',
  plan: async ({ files }) => {
    const text = (await files.readForEdit('/etc/hosts')) ?? '';
    return planned([{ kind: 'write-file', path: '/etc/hosts', content: withLocalhost(text) }]);
  },
};

/** Sets the usual sources of host names where there are none. */
export const nsswitchRepair: Repair = {
  id: 'network.nsswitch',
  stage: 'network',
  title: 'Name the usual sources of host names in /etc/nsswitch.conf',
  why: 'Without a source no name of a host is found.',
  risk: 'A source of your own has to be added again.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const path = nsswitchPath;
    const text = (await files.readForEdit(path)) ?? '';
    const set = (line: string): string =>
      line.replace(/^(\s*hosts\s*:)(\s*).*$/, (_, lead, gap) => `${lead}${gap || ' '}files dns`);
    const lines = placesOf(findings).get(path) ?? [];
    const content = editLines(text, new Map(lines.map((line) => [line, set])));
    return planned([{ kind: 'write-file', path: await throughLinks(files, path), content }]);
  },
};

const stub = '../run/systemd/resolve/stub-resolv.conf';
const resolved = 'systemd-resolved.service';

const backups = [
  ...['.dpkg-old', '.dpkg-bak', '.bak', '.orig', '.backup', '.dhclient-new'].map(
    (suffix) => `${resolvConf}${suffix}`,
  ),
  '/etc/resolvconf/resolv.conf.d/original',
];

const names = (text: string | null): boolean => /^\s*nameserver\s+\S/m.test(text ?? '');

const copyOf = async (files: SystemFiles): Promise<string | null> => {
  const texts = await Promise.all(backups.map((path) => files.readForEdit(path)));
  return texts.find((text) => names(text)) ?? null;
};

/** Leads resolv.conf to something that will be there. */
export const resolvConfRepair: Repair = {
  id: 'network.resolv-conf',
  stage: 'network',
  title: 'Give /etc/resolv.conf its name servers back',
  why: 'The file that the link leads to is made by nobody.',
  risk: 'None: before, no name was resolved.',
  proof: 'container',
  plan: async ({ files }) => {
    const [link, units, copy, program] = await Promise.all([
      files.link(resolvConf),
      readUnits(files),
      copyOf(files),
      firstInside(['/usr/lib/systemd/systemd-resolved', '/lib/systemd/systemd-resolved'], (path) =>
        files.isFilled(path),
      ),
    ]);
    if (resolvedRuns(units)) return planned([{ kind: 'make-link', path: resolvConf, to: stub }]);
    if (program !== null && link?.includes('/systemd/resolve/')) {
      const masked = units.masked.has(resolved) ? [unmaskUnit(resolved)] : [];
      return planned([...masked, ...(await enableUnit(files, resolved))]);
    }
    if (copy === null) {
      return refused(
        'no name server is known, and nothing on the disk would find one',
        `Write the address of one into ${resolvConf} in a rescue shell: nameserver 192.0.2.1`,
      );
    }
    const attributes = { mode: 0o644, uid: 0, gid: 0 };
    return planned([{ kind: 'write-file', path: resolvConf, content: copy, attributes }]);
  },
};
