const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Bytes for a person: `512 MiB`, `7.5 GiB`; one decimal below 100, none where it would be zero. */
export const formatSize = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  // 1023.95 would be shown as 1024 of the smaller unit.
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = value >= 100 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, '');
  return `${digits} ${units[unit]}`;
};
