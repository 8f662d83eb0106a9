import { firstInside } from '../../system-image/inside.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { isFirstBoot, readUnits, type Units } from '../../system-image/units.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';

export const resolvConf = '/etc/resolv.conf';

/** Who makes a file below /run that the link may lead to. */
const makers: readonly { readonly place: RegExp; readonly programs: readonly string[] }[] = [
  {
    place: /\/run\/systemd\/resolve\//,
    programs: ['/usr/lib/systemd/systemd-resolved', '/lib/systemd/systemd-resolved'],
  },
  {
    place: /\/run\/NetworkManager\//,
    programs: ['/usr/sbin/NetworkManager', '/usr/bin/NetworkManager'],
  },
  { place: /\/run\/resolvconf\//, programs: ['/usr/sbin/resolvconf', '/sbin/resolvconf'] },
  { place: /\/run\/connman\//, programs: ['/usr/sbin/connmand', '/usr/bin/connmand'] },
  { place: /\/run\/netconfig\//, programs: ['/usr/sbin/netconfig', '/sbin/netconfig'] },
];

/** resolved is started by its link, or by D-Bus under its alias. */
export const resolvedRuns = (units: Units): boolean =>
  units.wantedBy.has('systemd-resolved.service') && !units.masked.has('systemd-resolved.service');

/** Why nobody will make what the link leads to; null when somebody does, or it is not known. */
const reasonOf = async (files: SystemFiles, link: string): Promise<string | null> => {
  const target = link.startsWith('/') ? link : `/etc/${link}`;
  if (!/(?:^|\/)(?:var\/)?run\//.test(target)) return 'there is no such file';
  const maker = makers.find(({ place }) => place.test(target));
  // Other programs write below /run too: what is not known is no fault.
  if (maker === undefined) return null;
  const program = await firstInside(maker.programs, async (path) => {
    const found = await files.locate(path);
    // systemd-resolved comes with a resolvconf that is resolvectl, and makes no such file.
    return found !== null && found.status.sizeBytes > 0 && !found.path.endsWith('/resolvectl');
  });
  if (program === null) return 'the program that makes the file is not installed';
  if (!target.includes('/systemd/resolve/')) return null;
  const units = await readUnits(files);
  if (units.masked.has('systemd-resolved.service')) return 'systemd-resolved is masked';
  return resolvedRuns(units) || (await isFirstBoot(files))
    ? null
    : 'nothing starts systemd-resolved';
};

/** Where the resolver finds its name servers. */
export const resolvConfCheck: Check = {
  area: 'network',
  finds: ['network.resolv-conf-dangling'],
  run: async ({ files }) => {
    const [link, status] = await Promise.all([files.link(resolvConf), files.status(resolvConf)]);
    const reason = link === null || status !== null ? null : await reasonOf(files, link);
    if (link === null || reason === null) return [];
    return [
      {
        id: 'network.resolv-conf-dangling',
        severity: 'warning',
        title: `${resolvConf} leads to ${link}, and ${reason}`,
        subject: resolvConf,
        evidence: [fileEvidence(resolvConf, null, `-> ${link}`)],
        meaning: 'No name is resolved: addresses answer, names do not.',
        repair: 'network.resolv-conf',
      },
    ];
  },
};
