/** What the kernel's own lines tell about the machine. */
export type Trouble = 'panic' | 'out-of-memory' | 'disk' | 'file-system';

/** Drives whose medium may be missing or scratched, and devices that are no disks. */
const notDisks = /\b(?:sr|fd|loop|nbd|ram|zram)\d/;

const patterns: readonly (readonly [Trouble, RegExp])[] = [
  ['panic', /^Kernel panic - not syncing|^Oops:|^BUG: unable to handle/],
  [
    'out-of-memory',
    /^Out of memory: Kill|^Memory cgroup out of memory: Kill|invoked oom-killer|: A process of this unit has been killed by the OOM killer|: systemd-oomd killed /,
  ],
  [
    'disk',
    /critical medium error|Unrecovered read error|\bI\/O error, dev |Buffer I\/O error on dev|auto reallocate failed|failed command: (?:READ|WRITE)|nvme\d+: I\/O .*timeout|controller is down; will reset/,
  ],
  [
    'file-system',
    /^EXT4-fs error|^EXT4-fs \S+ Remounting filesystem read-only|^XFS \(\S+\): (?:Corruption|Metadata corruption|Internal error)|^BTRFS (?:error|critical)/,
  ],
];

/** A line of the kernel without the time that dmesg puts before it. */
export const withoutStamp = (line: string): string => line.replace(/^\[\s*\d+\.\d+\]\s*/, '');

/** Which trouble a kernel line is about; null for all others. */
export const troubleOf = (message: string): Trouble | null => {
  const line = withoutStamp(message);
  const found = patterns.find(([, pattern]) => pattern.test(line))?.[0] ?? null;
  return found === 'disk' && notDisks.test(line) ? null : found;
};
