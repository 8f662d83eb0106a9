import type { FstabEntry } from '../../system-image/system-facts.ts';
import { mountUnitName } from './unit-name.ts';

/**
 * Units that would only wait in a container, for minutes and some of them for ever, and fail: each
 * waits for somebody on the network, or for a person. They are left out of the boot, as
 * `ConditionVirtualization=!container` does in units that know of containers themselves.
 */
const waits: readonly string[] = [
  // For an interface of the machine to come up. What configures the network still runs.
  'systemd-networkd-wait-online.service',
  'systemd-networkd-wait-online@.service',
  'NetworkManager-wait-online.service',
  'ifupdown-wait-online.service',
  'connman-wait-online.service',
  // For a time server.
  'chrony-wait.service',
  'ntp-wait.service',
  'ntpsec-wait.service',
  // For the metadata service of a cloud. On a rescue host in that cloud, cloud-init would even find
  // the helper's own firmware tables and take the system for a new machine.
  'cloud-init-main.service',
  'cloud-init-local.service',
  'cloud-init-network.service',
  'cloud-init.service',
  'cloud-config.service',
  'cloud-final.service',
  'google-startup-scripts.service',
  // For targets of iSCSI.
  'iscsid.service',
  'open-iscsi.service',
  'iscsi.service',
  // For a person's answers, on the console of a system that has never booted.
  'systemd-firstboot.service',
];

/** As systemd itself counts them (`fstype_is_network` in its sources), without a `fuse.` before. */
const networkTypes =
  /^(afs|ceph|cifs|smb3|smbfs|sshfs|ncpfs|ncp|nfs|nfs4|gfs|gfs2|glusterfs|pvfs2|ocfs2|lustre|davfs)$/;

const isOnNetwork = ({ fsType, options }: FstabEntry): boolean =>
  networkTypes.test(fsType.replace(/^fuse\./, '')) || options.includes('_netdev');

/** Names of the units that are left out of a boot of a system with this fstab. */
export const leftOutUnits = (fstab: readonly FstabEntry[]): readonly string[] => [
  ...waits,
  ...fstab.filter(isOnNetwork).map(({ target }) => mountUnitName(target)),
];
