/** The kernel's name of a node that is no link: `vdb3` of `/dev/vdb3`. By it sysfs knows a device. */
export const kernelName = (node: string): string => node.slice(node.lastIndexOf('/') + 1);

/** The kernel puts a `p` between a disk name that ends in a digit and the partition's number. */
export const partitionNode = (disk: string, number: number): string =>
  /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`;
