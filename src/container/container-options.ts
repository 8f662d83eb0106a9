/** How the container is connected: nothing by default, so that the target reaches nobody. */
export type Network =
  | { readonly kind: 'none' }
  | { readonly kind: 'host' }
  | { readonly kind: 'veth' }
  | { readonly kind: 'bridge'; readonly name: string }
  | { readonly kind: 'zone'; readonly name: string };

export type PortForward = {
  readonly protocol: 'tcp' | 'udp';
  readonly host: number;
  readonly guest: number;
};

export type BindMount = {
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  /** Owners are mapped like those of the root, for a container with users of its own. */
  readonly mapOwners?: true;
};

/** What runs in the container. */
export type Payload =
  /** The system's own systemd, into one unit. */
  | { readonly kind: 'systemd'; readonly unit: string }
  /** The system's own init of another kind as PID 1, as it would boot. */
  | { readonly kind: 'own-init'; readonly path: string }
  /** A program under nspawn's small init; no init of the system is started. */
  | { readonly kind: 'program'; readonly words: readonly string[] };

/** What a person may wish of the container and what is handed on as it is. */
export type ContainerSettings = {
  readonly network: Network;
  readonly ports: readonly PortForward[];
  /** nspawn's --resolv-conf mode; `off` leaves the file on the disk alone. */
  readonly resolvConf: string;
  readonly privateUsers: boolean;
  readonly binds: readonly BindMount[];
  readonly environment: readonly (readonly [name: string, value: string])[];
  readonly memoryBytes: number | null;
  readonly tasks: number | null;
  /** Show each unit as it starts. */
  readonly verboseBoot: boolean;
};

/** Everything that systemd-nspawn is told. */
export type ContainerOptions = ContainerSettings & {
  /** Directory where the system's root is mounted. */
  readonly root: string;
  readonly machine: string;
  readonly session: string;
  readonly payload: Payload;
  /** The rescue host has systemd as PID 1, so the container is registered with machinectl. */
  readonly hostHasSystemd: boolean;
  readonly console: 'interactive' | 'read-only';
};

/** Units that lead to the rescue shell; every other one is a boot of the person's choice. */
export const isRescueUnit = (unit: string): boolean =>
  unit === 'rescue.target' || unit === 'emergency.target';
