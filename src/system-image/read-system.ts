import type { Files } from '../host/files.ts';
import { plainText } from '../host/plain-text.ts';
import { findBootLoaders } from './boot-loader.ts';
import { parseCrypttab } from './crypttab.ts';
import { parseFstab } from './fstab.ts';
import { findInit } from './init.ts';
import { readInside } from './inside.ts';
import { findKernels } from './kernels.ts';
import { readArrays } from './mdadm-conf.ts';
import { findArchitecture, findMissing, selinuxIsOn } from './missing-parts.ts';
import { readOs } from './os-release.ts';
import { findShell } from './shell.ts';
import type { SystemFacts } from './system-facts.ts';
import { tolerantFiles } from './tolerant-files.ts';

/** hostname(5): one name, comment lines before it are allowed. */
const hostnameOf = (text: string | null): string | null => {
  const lines = (text ?? '').split('\n').map(plainText);
  const name = lines.find((line) => line !== '' && !line.startsWith('#')) ?? '';
  return name === '' ? null : name.slice(0, 253);
};

/** RHEL 6 and older keep the name in a file of assignments. */
const oldHostnameOf = (text: string | null): string | null =>
  hostnameOf(/^HOSTNAME="?([^"\n]*)/m.exec(text ?? '')?.[1] ?? null);

const readHostname = async (files: Files, root: string): Promise<string | null> => {
  const [current, old] = await Promise.all([
    readInside(files, root, '/etc/hostname', 4096),
    readInside(files, root, '/etc/sysconfig/network', 4096),
  ]);
  return hostnameOf(current) ?? oldHostnameOf(old);
};

const insideName = (root: string, hostPath: string): string =>
  hostPath.startsWith(`${root}/`) ? hostPath.slice(root.length) : hostPath;

/**
 * Everything that is known of a system from its files alone, without running anything of it. What
 * is on a separate /boot or /usr is found when that is mounted below the root and absent otherwise.
 *
 * @param root Host directory with the root file system; only read.
 */
export const readSystemFacts = async (hostFiles: Files, root: string): Promise<SystemFacts> => {
  const { files, unreadable } = tolerantFiles(hostFiles);
  const [os, hostname, init, shell, kernels, bootLoaders, fstabText, selinux, arrays] =
    await Promise.all([
      readOs(files, root),
      readHostname(files, root),
      findInit(files, root),
      findShell(files, root),
      findKernels(files, root),
      findBootLoaders(files, root),
      readInside(files, root, '/etc/fstab'),
      readInside(files, root, '/etc/selinux/config', 64 * 1024),
      readArrays(files, root),
    ]);
  const [architecture, missing] = await Promise.all([
    findArchitecture(files, root, [init.initPath, shell]),
    findMissing(files, root, { os, ...init }),
  ]);
  const fstab = parseFstab(fstabText ?? '');
  return {
    os,
    hostname,
    architecture,
    ...init,
    shell,
    kernels,
    bootLoaders,
    fstab: fstab.entries,
    fstabProblems: fstab.problems,
    crypttab: parseCrypttab((await readInside(files, root, '/etc/crypttab', 64 * 1024)) ?? ''),
    arrays,
    missing,
    selinux: selinuxIsOn(selinux),
    unreadable: unreadable().map((path) => insideName(root, path)),
  };
};
