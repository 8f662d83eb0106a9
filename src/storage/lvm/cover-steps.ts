import type { Step } from '../../host/step.ts';

/** One row of a device-mapper table; in sectors of 512 bytes. */
type Row = readonly [start: number, sectors: number, target: string, ...args: string[]];

const sectorBytes = 512;

/** The copy begins here in its file: with a label at its start udev would take the loop for a PV. */
export const gapBytes = 2 ** 20;

/** Copies a range of a device into a file, leaving holes where it is empty. */
export const copyRange = (
  device: string,
  fromBytes: number,
  sizeBytes: number,
  file: string,
  toBytes: number,
): Step => ({
  title: `Copy the LVM metadata of ${device}`,
  commands: [
    {
      program: 'dd',
      args: [
        `if=${device}`,
        `of=${file}`,
        'bs=1M',
        `skip=${fromBytes}`,
        `count=${sizeBytes}`,
        `seek=${toBytes}`,
        'iflag=skip_bytes,count_bytes,fullblock',
        'oflag=seek_bytes',
        'conv=notrunc,sparse',
        'status=none',
      ],
    },
  ],
  why: 'The group gets another name for this session, in the copy and not on the disk.',
  risk: 'none: the disk is only read',
  undo: null,
});

const createMapping = (name: string, rows: readonly Row[], title: string, why: string): Step => ({
  title,
  // One word for all: name, UUID, minor, flags, then the rows (dmsetup(8), CONCISE FORMAT).
  commands: [
    {
      program: 'dmsetup',
      args: [
        'create',
        '--concise',
        [name, name, '', 'rw', ...rows.map((row) => row.join(' '))].join(','),
      ],
    },
  ],
  why,
  risk: 'none by itself',
  undo: { kind: 'remove-mapping', name, uuid: name },
});

/** A view of the device that keeps everything written to it apart, in the store. */
export type PrivateParts = {
  readonly device: string;
  readonly copy: string;
  /** Label and first metadata area; then the extents; then what is behind them. */
  readonly headBytes: number;
  readonly dataBytes: number;
  readonly tailBytes: number;
};

/** The device with its metadata areas replaced by copies; its data are the real ones. */
export const privateView = (
  name: string,
  { device, copy, headBytes, dataBytes, tailBytes }: PrivateParts,
): Step => {
  const [gap, head, data, tail] = [gapBytes, headBytes, dataBytes, tailBytes].map(
    (bytes) => bytes / sectorBytes,
  ) as [number, number, number, number];
  const rows: readonly Row[] = [
    [0, head, 'linear', copy, String(gap)],
    [head, data, 'linear', device, String(head)],
    [head + data, tail, 'linear', copy, String(gap + head)],
  ];
  return createMapping(
    name,
    rows.filter(([, sectors]) => sectors > 0),
    `Show ${device} with metadata of its own`,
    'The name of its group is taken on this machine. What the disk itself says stays as it is.',
  );
};

/** A rule for udev that lives as long as the session; see docs/layouts/lvm.md. */
export const hideFromUdev = (session: string): Step => {
  const file = `/run/udev/rules.d/12-rescuekit-${session}.rules`;
  const match = `ACTION!="remove", KERNEL=="dm-*", ATTR{dm/name}=="rescuekit-${session}-pv-*"`;
  const flags = ['OTHER', 'DISK'].map((what) => `ENV{DM_UDEV_DISABLE_${what}_RULES_FLAG}="1"`);
  return {
    title: 'Keep udev from activating what only this session is to see',
    commands: [
      { program: 'mkdir', args: ['--parents', '/run/udev/rules.d'] },
      { program: 'tee', args: [file], input: `${[match, ...flags].join(', ')}\n` },
      { program: 'udevadm', args: ['control', '--reload'] },
    ],
    why: "The host's udev would take a private view for another physical volume of the same name and activate it.",
    risk: 'none: the rule matches mappings of this session only',
    undo: { kind: 'remove-file', path: file },
  };
};
