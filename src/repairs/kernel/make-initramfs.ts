import { posix } from 'node:path';
import type { Change } from '../../changes/change.ts';
import type { Finding } from '../../diagnosis/finding.ts';
import { type StartedKernel, startedKernels } from '../../diagnosis/kernel/started-kernels.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { modulesDirectory } from '../../system-image/kernel-modules.ts';
import {
  fatesOf,
  isMicrocode,
  mainInitramfs,
  pathFor,
  withInitramfs,
  withoutLost,
  wordFor,
} from '../boot-loader/entry-words.ts';
import { directoriesFor } from '../boot-loader/esp-files.ts';
import { makeGrubMenu, menuRisk } from '../boot-loader/make-menu.ts';
import { lastWords, planned, refused, together } from '../plan.ts';
import type { Repair, RepairPlan, RepairTools } from '../repair.ts';
import { findInitramfsMaker, type InitramfsMaker } from './initramfs-maker.ts';
import { initramfsProblem, roomProblem } from './made-initramfs.ts';

const isMeant = (kernel: StartedKernel, findings: readonly Finding[]): boolean =>
  findings.some(
    ({ subject }) =>
      subject === kernel.version || kernel.initrds.some(({ path }) => path === subject),
  );

/**
 * Where the entry looks for it, on the entry's own partition. Without an entry, or one that names
 * none, it has Debian's name and lies beside the kernel.
 */
const targetOf = ({ initrds, version, entry, image }: StartedKernel): string => {
  const main = (of: StartedKernel['initrds']) => mainInitramfs(of.map(({ name }) => name));
  const name = main(initrds.filter(({ path }) => path === null)) ?? main(initrds);
  const wanted = initrds.find((one) => one.name === name);
  if (wanted?.path) return wanted.path;
  if (entry !== null && wanted !== undefined) return pathFor(entry, wanted.name);
  const isInMenu = entry === null || entry.path.endsWith('grub.cfg');
  return `${isInMenu ? '/boot' : posix.dirname(image)}/initrd.img-${version}`;
};

/** Microcode that an entry names and that is gone: it cannot be made, and must be named no more. */
const lostMicrocode = ({ initrds }: StartedKernel): boolean =>
  initrds.some(({ name, path }) => path === null && isMicrocode(name));

const hasOwn = ({ initrds }: StartedKernel): boolean => {
  const own = initrds.filter(({ name }) => !isMicrocode(name));
  return own.length > 0 && own.every(({ path }) => path !== null);
};

const byHand =
  'Boot the system with rescuekit rescue and make it there, where its devices can be seen.';

const make = async (
  subject: Subject,
  tools: RepairTools,
  maker: InitramfsMaker,
  kernel: StartedKernel,
): Promise<RepairPlan> => {
  const path = targetOf(kernel);
  if ((await modulesDirectory(subject.files, kernel.version)) === null) {
    return refused(
      `There are no modules of kernel ${kernel.version} to make an initramfs of.`,
      'Install the package of the kernel again, or start another one.',
    );
  }
  const commands = maker.commands(kernel.version, path);
  const directories = await directoriesFor(subject, '', [path]);
  const prepare = [...maker.prepare, ...directories];
  const { results, changes } = await tools.bench(commands, prepare);
  const failed = results.find(({ exitCode }) => exitCode !== 0);
  if (failed !== undefined) {
    return refused(`The system's own program failed: ${lastWords(failed)}`, byHand);
  }
  const made = changes.find((change) => 'path' in change && change.path === path);
  if (made?.kind !== 'copy-entry') {
    return refused(`The system's own program made no ${path}.`, byHand);
  }
  const problem = await initramfsProblem(subject, kernel, made.from);
  if (problem !== null) return refused(`An initramfs was made, but ${problem}.`, byHand);
  const room = await roomProblem(subject, path, made.from);
  if (room !== null) {
    return refused(
      `The new initramfs cannot be written: ${room}.`,
      'Remove a kernel that is no longer used (apt-get remove in rescuekit rescue), then repair again.',
    );
  }
  return planned(
    [...directories, ...changes.filter(isWanted(path))],
    commands.map(({ words }) => words),
  );
};

/** Where only microcode is gone there is nothing to make. */
const makeUnlessThere = async (
  subject: Subject,
  tools: RepairTools,
  maker: InitramfsMaker | null,
  kernel: StartedKernel,
): Promise<RepairPlan> => {
  if (lostMicrocode(kernel) && hasOwn(kernel)) return planned([]);
  return maker === null
    ? refused('The system has neither initramfs-tools nor dracut.', byHand)
    : make(subject, tools, maker, kernel);
};

/** The initramfs and the note of its sum; not the logs and caches that programs leave. */
const isWanted =
  (path: string) =>
  (change: Change): boolean =>
    'path' in change &&
    (change.path === path || change.path.startsWith('/var/lib/initramfs-tools/'));

/** An entry that names no initramfs has to be told of it, and must not name what is gone for good. */
const withEntry = async (
  subject: Subject,
  tools: RepairTools,
  kernel: StartedKernel,
  plan: RepairPlan,
): Promise<RepairPlan> => {
  const { entry } = kernel;
  const isNamed = kernel.initrds.length > 0 && !lostMicrocode(kernel);
  if (plan.kind === 'refused' || entry === null || isNamed) return plan;
  if (entry.path.endsWith('grub.cfg')) {
    const menu = await makeGrubMenu(subject, tools, plan.changes);
    return menu.kind === 'refused'
      ? menu
      : planned(menu.changes, [...plan.commands, ...menu.commands]);
  }
  const target = targetOf(kernel);
  const word = wordFor(entry, target);
  const text = await subject.files.readForEdit(entry.path);
  if (word === null || text === null) {
    return refused(`${entry.path} cannot be told of the initramfs.`, `Edit ${entry.path} by hand.`);
  }
  const fateOf = fatesOf(entry, [target]);
  const content = hasOwn(kernel)
    ? withoutLost(text, fateOf)
    : withInitramfs(text, word, entry.kernelLine, fateOf);
  return planned(
    [...plan.changes, { kind: 'write-file', path: entry.path, content }],
    plan.commands,
  );
};

export const makeInitramfs: Repair = {
  id: 'kernel.make-initramfs',
  stage: 'initramfs',
  title: 'Make the initramfs anew',
  why: 'The kernel that is started has none that is whole and reaches the root.',
  risk: `none by itself: the old one stays until the new one is made and was looked at. Where no entry names it, ${menuRisk}`,
  proof: 'vm',
  plan: async (subject, findings, tools) => {
    const maker = await findInitramfsMaker(subject.files);
    const kernels = (await startedKernels(subject)).filter((one) => isMeant(one, findings));
    const versions = new Map(kernels.map((kernel) => [kernel.version, kernel]));
    const plans: RepairPlan[] = [];
    // One after the other: each workbench takes memory.
    for (const kernel of versions.values()) {
      const plan = await makeUnlessThere(subject, tools, maker, kernel);
      plans.push(await withEntry(subject, tools, kernel, plan));
    }
    return plans.length === 0
      ? refused('It cannot be told which kernel is meant.', byHand)
      : together(plans);
  },
};
