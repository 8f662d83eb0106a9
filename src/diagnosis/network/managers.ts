import { type Interfaces, readInterfaces } from '../../system-image/ifupdown.ts';
import { firstInside } from '../../system-image/inside.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { readUnits, startsAtBoot, type Units } from '../../system-image/units.ts';

/** What may bring up the network; the name is that of the unit without suffix. */
export const managerNames = ['networking', 'systemd-networkd', 'NetworkManager'] as const;

export type ManagerName = (typeof managerNames)[number];

export type Manager = {
  readonly name: ManagerName;
  readonly installed: boolean;
  readonly enabled: boolean;
  /** Its unit is there and something starts it, whether its program is there or not. */
  readonly starts: boolean;
  readonly masked: boolean;
  /** The administrator's files for it name at least one interface beside the loopback. */
  readonly configured: boolean;
};

export type Managers = {
  readonly all: readonly Manager[];
  readonly interfaces: Interfaces;
  readonly netplan: boolean;
  /** Something else than the three brings up the network, or is there to do so. */
  readonly others: boolean;
  readonly units: Units;
};

const programs: Readonly<Record<ManagerName, readonly string[]>> = {
  networking: ['/usr/sbin/ifup', '/sbin/ifup'],
  'systemd-networkd': ['/usr/lib/systemd/systemd-networkd', '/lib/systemd/systemd-networkd'],
  NetworkManager: ['/usr/sbin/NetworkManager', '/usr/bin/NetworkManager'],
};

const others = ['dhcpcd', 'connman', 'wicked', 'network', 'iwd', 'netctl', 'net.eth0'];

const namesWith = async (files: SystemFiles, path: string, end: RegExp): Promise<number> =>
  ((await files.list(path)) ?? []).filter((name) => end.test(name) && !name.startsWith('.')).length;

const configuredOf = async (
  files: SystemFiles,
  interfaces: Interfaces,
): Promise<Readonly<Record<ManagerName, boolean>>> => {
  const [networkd, keyfiles] = await Promise.all([
    namesWith(files, '/etc/systemd/network', /\.network$/),
    namesWith(files, '/etc/NetworkManager/system-connections', /[^~]$/),
  ]);
  return {
    networking: interfaces.defined.some(({ name }) => name !== 'lo'),
    'systemd-networkd': networkd > 0,
    NetworkManager: keyfiles > 0,
  };
};

/** What brings up the network of a system. */
export const readManagers = async (files: SystemFiles): Promise<Managers> => {
  const [units, interfaces] = await Promise.all([readUnits(files), readInterfaces(files)]);
  const configured = await configuredOf(files, interfaces);
  const all = await Promise.all(
    managerNames.map(async (name): Promise<Manager> => {
      const program = await firstInside(programs[name], (path) => files.isFilled(path));
      const [unit, started] = [`${name}.service`, await startsAtBoot(files, units, [name])];
      return {
        name,
        installed: program !== null,
        enabled: program !== null && started,
        starts: started && units.installed.has(unit) && !units.masked.has(unit),
        masked: units.masked.has(unit),
        configured: configured[name],
      };
    }),
  );
  const netplan = await firstInside(
    [
      ...['/usr/sbin/netplan', '/usr/libexec/netplan/generate', '/usr/lib/netplan/generate'],
      ...['/lib/netplan/generate', '/usr/bin/netplan'],
    ],
    (path) => files.isFilled(path),
  );
  return {
    all,
    interfaces,
    netplan: netplan !== null,
    others: await startsAtBoot(files, units, others),
    units,
  };
};

/** Whether something but this one brings up the network at boot. */
export const hasOther = ({ all, others: more }: Managers, name: ManagerName): boolean =>
  more || all.some((manager) => manager.name !== name && manager.enabled && !manager.masked);

/** The manager of that name. */
export const managerOf = ({ all }: Managers, name: ManagerName): Manager | null =>
  all.find((manager) => manager.name === name) ?? null;
