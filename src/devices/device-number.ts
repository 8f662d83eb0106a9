/**
 * `major:minor` as the kernel's tables write it, from the `rdev` of a node's status: Linux spreads
 * 12 bits of major and 20 bits of minor (include/linux/kdev_t.h, new_encode_dev).
 */
export const majorMinorOf = (rdev: number): string => {
  const major = (rdev >>> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  return `${major}:${minor}`;
};
