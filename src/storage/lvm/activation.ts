import { readMappings, standingOn } from '../../devices/mappings.ts';
import type { Host } from '../../host/host.ts';
import { RescueError } from '../../host/rescue-error.ts';
import type { Step } from '../../host/step.ts';
import type { LayerMode } from '../layer.ts';
import { type LvmScope, lvmCommand } from './lvm-command.ts';
import type { LvmGroup, LvmLv } from './report.ts';

export type ActivationMode = 'complete' | 'degraded' | 'partial';

export type Activation = {
  /** The name that the group has now, in this session. */
  readonly name: string;
  readonly volumes: readonly LvmLv[];
  /** Everything of the group, so that one word is enough. */
  readonly whole: boolean;
  readonly mode: ActivationMode;
  readonly access: LayerMode;
  readonly scope: LvmScope;
  /** Mappings of the group that are there already. */
  readonly before: readonly string[];
};

/** For this call the machine has the system id of the group's own one (lvmsystemid(7)). */
export const foreignSettings = ({ systemId }: LvmGroup): readonly string[] =>
  systemId === '' ? [] : [`global{system_id_source="lvmlocal"} local{system_id="${systemId}"}`];

/** Characters of a system id (lvmsystemid(7)): nothing that could end the quoted word. */
export const isPlainSystemId = (systemId: string): boolean => /^[A-Za-z0-9._:/+-]*$/.test(systemId);

const readOnlySettings = (name: string): string => `activation{read_only_volume_list=["${name}"]}`;

const risks: Readonly<Record<ActivationMode, string>> = {
  complete: 'none by itself',
  degraded: 'another missing disk would make the data unreadable',
  partial: 'reading what lay on the missing disk gives errors',
};

/** The command that activates volumes of a group. */
export const activationCommand = ({ name, volumes, whole, mode, access, scope }: Activation) => {
  const settings = access === 'read-only' ? [readOnlySettings(name)] : [];
  // No daemon is left behind by the session, and no cut-off conversion goes on by itself.
  const args = ['--activate', 'y', '--activationmode', mode, '--poll', 'n'];
  return lvmCommand(
    whole ? 'vgchange' : 'lvchange',
    { ...scope, settings: [...scope.settings, ...settings] },
    [...args, ...(whole ? [name] : volumes.map((volume) => `${name}/${volume.name}`))],
  );
};

/** The step that activates volumes of a group. */
export const activate = (activation: Activation): Step => {
  const { name, mode, access, scope, before } = activation;
  return {
    title: `Activate the volume group ${name}${access === 'read-only' ? ' read-only' : ''}`,
    commands: [activationCommand(activation)],
    why: 'Its volumes are devices only while it is active.',
    risk: risks[mode],
    undo: {
      kind: 'deactivate-group',
      group: name,
      devices: scope.devices,
      settings: scope.settings,
      before,
    },
  };
};

/**
 * LVM exits with 0 for volumes that it leaves out, too: so the kernel is asked. A clone has volumes
 * of the same UUIDs elsewhere.
 */
export const requireActive = async (
  host: Host,
  { name, volumes, scope }: Activation,
): Promise<void> => {
  const standing = standingOn(await readMappings(host), scope.devices);
  const active = new Set(standing.map(({ uuid }) => uuid.slice(-32)));
  const closed = volumes.filter(({ uuid }) => !active.has(uuid.replaceAll('-', '')));
  if (closed.length === 0) return;
  const names = closed.map((volume) => volume.name).join(', ');
  throw new RescueError({
    code: 'NOT_ACTIVE',
    message: `LVM did not activate ${names} of the group ${name}.`,
    hint: 'Look at what it says with --verbose.',
  });
};
