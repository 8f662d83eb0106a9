/** Words for tar(1), by which it keeps everything that a file system knows of an entry. */
export const keepAll = [
  '--numeric-owner',
  '--acls',
  '--selinux',
  '--xattrs',
  '--xattrs-include=*',
] as const;
