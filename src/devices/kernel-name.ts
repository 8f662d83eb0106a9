/** The kernel's name of a node that is no link: `vdb3` of `/dev/vdb3`. By it sysfs knows a device. */
export const kernelName = (node: string): string => node.slice(node.lastIndexOf('/') + 1);
