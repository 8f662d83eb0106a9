import { z } from 'zod';
import type { Host } from '../../host/host.ts';
import { RescueError } from '../../host/rescue-error.ts';
import { lvmCommand } from './lvm-command.ts';

// What LVM itself allows (lvm(8), VALID NAMES): nothing else is ever put into a command.
const name = z.string().regex(/^[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/);
const uuid = z.string().regex(/^[A-Za-z0-9]{6}(-[A-Za-z0-9]{4}){5}-[A-Za-z0-9]{6}$/);
const bytes = z.string().regex(/^\d+$/).transform(Number);
const words = z.string().transform((text) => text.split(',').filter((word) => word !== ''));
const isSet = z.string().transform((text) => text !== '');

/** The fields that are asked for are the keys of these schemas. */
const fields = {
  vg: {
    vg_uuid: uuid,
    vg_name: name,
    vg_exported: isSet,
    vg_systemid: z.string(),
    vg_shared: isSet,
    vg_clustered: isSet,
    vg_extent_size: bytes,
  },
  pv: {
    pv_uuid: uuid,
    pv_major: z.string(),
    pv_minor: z.string(),
    pv_missing: isSet,
    pe_start: bytes,
    pv_pe_count: bytes,
    pv_mda_count: bytes,
    dev_size: bytes,
  },
  lv: {
    lv_uuid: uuid,
    // Hidden ones, of which others are made, stand in brackets.
    lv_name: z.string().regex(/^\[?[A-Za-z0-9+_.][A-Za-z0-9+_.-]*\]?$/),
    lv_role: words,
    lv_layout: words,
    lv_skip_activation: isSet,
    lv_health_status: words,
    lv_parent: z.string(),
    pool_lv: z.string(),
    origin: z.string(),
  },
} as const;

const reportSchema = z.object({
  report: z.array(
    z.object({
      // Physical volumes that belong to no group come without one.
      vg: z.array(z.object(fields.vg)).optional(),
      pv: z.array(z.object(fields.pv)).optional(),
      lv: z.array(z.object(fields.lv)).optional(),
    }),
  ),
});

export type LvmPv = {
  readonly uuid: string;
  /** `major:minor`; null when it is missing. */
  readonly majorMinor: string | null;
  /** Where its extents begin and end, and its whole size. */
  readonly dataStartBytes: number;
  readonly extents: number;
  readonly metadataAreas: number;
  readonly sizeBytes: number;
};

export type LvmLv = {
  readonly uuid: string;
  readonly name: string;
  readonly hidden: boolean;
  readonly roles: readonly string[];
  readonly layout: readonly string[];
  /** The flag that keeps snapshots of thin volumes closed. */
  readonly skipped: boolean;
  /** Something of it lies on a missing physical volume. */
  readonly partial: boolean;
  /** Names of the volumes that it is made of or belongs to; empty when there is none. */
  readonly parent: string;
  readonly pool: string;
  readonly origin: string;
};

export type LvmGroup = {
  readonly uuid: string;
  readonly name: string;
  readonly exported: boolean;
  readonly systemId: string;
  /** Locked by a cluster's lock manager. */
  readonly shared: boolean;
  readonly extentBytes: number;
  readonly pvs: readonly LvmPv[];
  readonly lvs: readonly LvmLv[];
};

const bare = (text: string): string => text.replaceAll(/[[\]]/g, '');

const pvOf = (pv: z.infer<z.ZodObject<typeof fields.pv>>): LvmPv => ({
  uuid: pv.pv_uuid,
  majorMinor: pv.pv_missing || pv.dev_size === 0 ? null : `${pv.pv_major}:${pv.pv_minor}`,
  dataStartBytes: pv.pe_start,
  extents: pv.pv_pe_count,
  metadataAreas: pv.pv_mda_count,
  sizeBytes: pv.dev_size,
});

const lvOf = (lv: z.infer<z.ZodObject<typeof fields.lv>>): LvmLv => ({
  uuid: lv.lv_uuid,
  name: bare(lv.lv_name),
  hidden: lv.lv_name.startsWith('['),
  roles: lv.lv_role,
  layout: lv.lv_layout,
  skipped: lv.lv_skip_activation,
  partial: lv.lv_health_status.includes('partial'),
  parent: bare(lv.lv_parent),
  pool: bare(lv.pool_lv),
  origin: bare(lv.origin),
});

/** Groups in the JSON of `lvm fullreport`. */
export const parseReport = (json: string): readonly LvmGroup[] => {
  const parsed = reportSchema.safeParse(JSON.parse(json));
  if (!parsed.success) {
    throw new RescueError({
      code: 'LVM_REPORT',
      message: `LVM's report cannot be read: ${z.prettifyError(parsed.error)}`,
      hint: 'lvm2 2.03.12 or newer is needed: lvm version',
    });
  }
  return parsed.data.report.flatMap(({ vg = [], pv = [], lv = [] }) =>
    vg.map((group) => ({
      uuid: group.vg_uuid,
      name: group.vg_name,
      exported: group.vg_exported,
      systemId: group.vg_systemid,
      shared: group.vg_shared || group.vg_clustered,
      extentBytes: group.vg_extent_size,
      pvs: pv.map(pvOf),
      lvs: lv.map(lvOf),
    })),
  );
};

const columns = (part: keyof typeof fields): readonly string[] => [
  '--configreport',
  part,
  '--options',
  Object.keys(fields[part]).join(','),
];

const reportArgs = [
  'fullreport',
  '--all',
  '--foreign',
  '--reportformat',
  'json',
  '--units',
  'b',
  '--nosuffix',
  ...columns('vg'),
  ...columns('pv'),
  ...columns('lv'),
  // These two cannot be left out; one field each keeps them short.
  ...['--configreport', 'pvseg', '--options', 'pv_uuid'],
  ...['--configreport', 'seg', '--options', 'lv_uuid'],
];

/**
 * The groups on these devices, and on no others. Reads only.
 *
 * @throws RescueError `COMMAND_FAILED`, `LVM_REPORT`.
 */
export const readGroups = async (
  host: Host,
  devices: readonly string[],
): Promise<readonly LvmGroup[]> => {
  if (devices.length === 0) return [];
  const command = lvmCommand('lvm', { devices, settings: [] }, reportArgs);
  // 5: one of the groups is damaged or foreign; the others are in the report.
  const { stdout } = await host.run({ ...command, accept: [0, 5], changes: false });
  return parseReport(stdout);
};
