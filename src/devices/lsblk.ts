import { z } from 'zod';
import type { Host } from '../host/host.ts';

/** lsblk fills model names with blanks to the field's length; an empty value is no value. */
const text = z
  .string()
  .nullish()
  .transform((value) => value?.trim() || null);

// Numbers and booleans are strings in the JSON of some versions (`"1"`, `"0"`).
const bytes = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).nullable();
const flag = z.union([z.boolean(), z.enum(['0', '1']).transform((value) => value === '1')]);

/**
 * The columns that are asked for are the keys of this schema, so the two cannot drift apart. All
 * exist since util-linux 2.33. Mount points, partition numbers and offsets are not among them:
 * MOUNTPOINTS (2.37) and PARTN (2.39) are too new, and the kernel's own tables tell the same.
 */
const columns = {
  name: z.string(),
  kname: z.string(),
  'maj:min': z.string().transform((value) => value.trim()),
  type: z.string(),
  size: bytes,
  model: text,
  serial: text,
  vendor: text,
  tran: text,
  ro: flag,
  fstype: text,
  label: text,
  uuid: text,
  pttype: text,
  parttype: text,
  partuuid: text,
  partlabel: text,
} as const;

const columnsSchema = z.object(columns);

export type LsblkNode = Readonly<z.infer<typeof columnsSchema>> & {
  readonly children?: readonly LsblkNode[] | undefined;
};

const lsblkNodeSchema: z.ZodType<LsblkNode> = columnsSchema.extend({
  children: z.lazy(() => z.array(lsblkNodeSchema)).optional(),
});

const lsblkSchema = z.object({ blockdevices: z.array(lsblkNodeSchema) });

const lsblkColumns = Object.keys(columns).map((column) => column.toUpperCase());

/**
 * lsblk before 2.37 writes control characters of a model or label as `\x1b`, which is no JSON. A
 * backslash of the text itself is doubled, so the two cannot be confused.
 */
const repairEscapes = (json: string): string =>
  json.replaceAll(/\\(?:x([0-9a-fA-F]{2})|[\s\S])/g, (whole, hex?: string) =>
    hex === undefined ? whole : `\\u00${hex}`,
  );

/** Parses `lsblk --json --bytes --paths`; lsblk prints nothing at all when there is no device. */
export const parseLsblk = (json: string): readonly LsblkNode[] =>
  json.trim() === '' ? [] : lsblkSchema.parse(JSON.parse(repairEscapes(json))).blockdevices;

/** All block devices of the host as lsblk reads them from sysfs and udev's database. */
export const readLsblk = async (host: Host): Promise<readonly LsblkNode[]> => {
  const { stdout } = await host.run({
    program: 'lsblk',
    // RAM disks and floppies: opening a floppy drive without a disk takes seconds.
    args: ['--json', '--bytes', '--paths', '--exclude', '1,2', '--output', lsblkColumns.join(',')],
    changes: false,
  });
  return parseLsblk(stdout);
};
