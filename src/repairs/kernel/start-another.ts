import type { Subject } from '../../diagnosis/subject.ts';
import { kernelImageDamage } from '../../system-image/kernel-image.ts';
import type { Kernel } from '../../system-image/system-facts.ts';
import { makeGrubMenu } from '../boot-loader/make-menu.ts';
import { setDefault } from '../boot-loader/shell-settings.ts';
import { planned, refused } from '../plan.ts';
import type { Repair, RepairPlan, RepairTools } from '../repair.ts';
import { cachedPackages } from './kernel-sources.ts';

const isWhole = async (
  { host, files, facts }: Subject,
  { image, initramfs, modules }: Kernel,
): Promise<boolean> =>
  modules &&
  initramfs !== null &&
  (await kernelImageDamage(host, files, image, facts.architecture, true)) === null;

/**
 * Makes another kernel the one that is started, when there is one that is whole.
 *
 * @param isBroken by path of the image.
 * @returns null when there is none.
 */
export const startAnotherPlan = async (
  subject: Subject,
  tools: RepairTools,
  isBroken: (image: string) => boolean,
): Promise<RepairPlan | null> => {
  const others = subject.facts.kernels.filter(({ image }) => !isBroken(image));
  const whole = await Promise.all(others.map((kernel) => isWhole(subject, kernel)));
  const kernel = others.find((_, index) => whole[index] === true);
  const root = subject.devices?.root.uuid;
  const isGrub = subject.facts.bootLoaders.some(({ name }) => name === 'grub');
  if (kernel === undefined || !root || !isGrub) return null;
  // The ids that grub-mkconfig gives (10_linux): of the submenu, then of the entry in it.
  const entry = `gnulinux-advanced-${root}>gnulinux-${kernel.version}-advanced-${root}`;
  const defaults = await setDefault(subject.files, 'GRUB_DEFAULT', entry);
  return defaults === null ? null : makeGrubMenu(subject, tools, [defaults]);
};

const fromPackage = async (
  subject: Subject,
  tools: RepairTools,
  version: string,
): Promise<RepairPlan | null> => {
  const packages = await cachedPackages(subject.files, version);
  if (packages.length === 0) return null;
  const commands = [
    ...packages.map((deb) => ['/usr/bin/dpkg-deb', '--extract', deb, '/']),
    ['/sbin/depmod', version],
  ];
  const { results, changes } = await tools.bench(
    commands.map((words) => ({ words, timeoutSeconds: 300 })),
  );
  const directory = new RegExp(`/lib/modules(?:$|/${version.replaceAll(/[.+]/g, '\\$&')}(?:/|$))`);
  const modules = changes.filter((change) => 'path' in change && directory.test(change.path));
  return results.some(({ exitCode }) => exitCode !== 0) || modules.length === 0
    ? null
    : planned(modules, commands);
};

export const startAnother: Repair = {
  id: 'kernel.start-another',
  stage: 'initramfs',
  title: 'Put the modules back, or start a kernel that has its modules',
  why: 'The modules of the kernel that is started are missing.',
  risk: 'where another kernel is started, it may lack a driver that the newer one has',
  proof: 'vm',
  plan: async (subject, findings, tools) => {
    const versions = new Set(findings.map((finding) => finding.subject));
    for (const version of versions) {
      const plan = await fromPackage(subject, tools, version);
      if (plan !== null) return plan;
    }
    const broken = new Set(
      subject.facts.kernels.flatMap(({ version, image }) => (versions.has(version) ? [image] : [])),
    );
    return (
      (await startAnotherPlan(subject, tools, (image) => broken.has(image))) ??
      refused(
        'Neither the package of the kernel nor another whole kernel is on the disk.',
        'Install it again: rescuekit rescue --network, then apt-get install --reinstall linux-image-VERSION.',
      )
    );
  },
};
