import type { Change } from '../../changes/change.ts';
import { bootIsHidden } from '../../diagnosis/kernel/none.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { readDpkgState, unfinished } from '../../diagnosis/userland/dpkg-state.ts';
import { lastPlainLines } from '../../host/plain-text.ts';
import type { DpkgPackage } from '../../system-image/dpkg-status.ts';
import { forAnyMachine } from '../kernel/initramfs-maker.ts';
import { bootFilesProblem } from '../kernel/made-initramfs.ts';
import { planned, refused } from '../plan.ts';
import type { BenchCommand, BenchResult, Repair } from '../repair.ts';

const archives = '/var/cache/apt/archives';

/** No question is asked, and configuration that somebody changed stays as it is. */
const env = {
  DEBIAN_FRONTEND: 'noninteractive',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
  // A menu of boot entries that looks at the helper's disks is none of this system's.
  GRUB_DISABLE_OS_PROBER: 'true',
};

const options = ['--force-confdef', '--force-confold'];

/** invoke-rc.d and deb-systemd-invoke start no service when this program says 101. */
const noServices: Change = {
  kind: 'write-file',
  path: '/usr/sbin/policy-rc.d',
  content: '#!/bin/sh\nexit 101\n',
  attributes: { mode: 0o755, uid: 0, gid: 0 },
};

const fileOf = ({ name, version, architecture }: DpkgPackage): string =>
  `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`;

/** What has to be unpacked again: its own files are not complete. */
const toUnpack = (packages: readonly DpkgPackage[]): readonly DpkgPackage[] =>
  packages.filter(({ state, flag }) => state === 'half-installed' || flag === 'reinstreq');

const commandsFor = (debs: readonly string[]): readonly BenchCommand[] => [
  ...(debs.length === 0
    ? []
    : [{ words: ['dpkg', ...options, '--unpack', ...debs], env, timeoutSeconds: 600 }]),
  { words: ['dpkg', ...options, '--configure', '--pending'], env, timeoutSeconds: 900 },
];

const failureOf = ({ results }: BenchResult): string | null => {
  const last = results.at(-1);
  if (last === undefined || last.exitCode === 0) return null;
  return lastPlainLines(`${last.stdout}\n${last.stderr}`, 3).join(' · ').slice(0, 400);
};

const missingArchives = async (
  { files }: Subject,
  names: readonly string[],
): Promise<readonly string[]> => {
  const there = await Promise.all(names.map((name) => files.isFilled(`${archives}/${name}`)));
  return names.filter((_, index) => there[index] === false);
};

/** Nothing is known of what is mounted in a directory: kernels that are seen there are of its /boot. */
const lacksBoot = (subject: Subject): boolean =>
  bootIsHidden(subject) && (subject.devices !== null || subject.facts.kernels.length === 0);

export const dpkgConfigureRepair: Repair = {
  id: 'userland.dpkg-configure',
  stage: 'userland',
  title: 'Finish the interrupted upgrade',
  why: 'dpkg goes on where it was cut off, on a copy-on-write layer of the disk; only when it succeeds there is the result taken over.',
  risk: 'The packages’ own scripts run, in a container without network. Configuration files that were changed stay as they are. An initramfs that they make is taken over only when it holds what the root needs.',
  // Scripts of packages may make an initramfs, which no container reads.
  proof: 'by-paths',
  plan: async (subject, _findings, tools) => {
    if (lacksBoot(subject)) {
      return refused(
        'fstab names a file system for /boot that is not mounted here: what the packages put there would get lost under the mount point.',
        'Mend its line in fstab or its file system first, then repair again.',
      );
    }
    const { packages } = await readDpkgState(subject.files);
    const debs = toUnpack(unfinished(packages ?? [])).map(fileOf);
    const missing = await missingArchives(subject, debs);
    if (missing.length > 0) {
      return refused(
        `Packages have to be unpacked again, and their archives are not on this disk: ${missing.join(', ')}.`,
        `Put them into ${archives}, or run "apt-get --fix-broken install" in rescue --network.`,
      );
    }
    const commands = commandsFor(debs.map((name) => `${archives}/${name}`));
    const prepare = [noServices, ...(await forAnyMachine(subject.files))];
    const result = await tools.bench(commands, prepare);
    const failure = failureOf(result);
    if (failure !== null) {
      return refused(
        `dpkg did not succeed on the copy-on-write layer: ${failure}`,
        'The disk is as it was. Go on by hand: rescue, then "dpkg --configure -a".',
      );
    }
    const problem = await bootFilesProblem(subject, result.changes);
    if (problem !== null) {
      return refused(
        `dpkg succeeded on the copy-on-write layer, and its result is not safe: ${problem}`,
        'The disk is as it was. Boot the system with rescuekit rescue, where its disks can be seen, and run "dpkg --configure -a" there.',
      );
    }
    return planned(
      result.changes,
      commands.map(({ words }) => words),
    );
  },
};
