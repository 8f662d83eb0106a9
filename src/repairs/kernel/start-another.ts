import type { Subject } from '../../diagnosis/subject.ts';
import { kernelImageDamage } from '../../system-image/kernel-image.ts';
import type { Kernel } from '../../system-image/system-facts.ts';
import { grubPlaces } from '../boot-loader/grub-places.ts';
import { makeGrubMenu, menuRisk, startedAfter } from '../boot-loader/make-menu.ts';
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

/** For the risk of a repair that may start another kernel. */
export const anotherRisk = `Where another kernel is started, it may lack a driver that the newer one has, and GRUB_DEFAULT in /etc/default/grub names it from then on: kernels that are installed later are not started by themselves before that line is as it was. ${menuRisk}`;

/**
 * Makes another kernel the one that is started, when there is one that is whole. GRUB starts the first
 * entry where there is none of the name that it is told, so the menu is looked into.
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
  const root = grubPlaces(subject)?.root.uuid;
  const isGrub = subject.facts.bootLoaders.some(({ name }) => name === 'grub');
  if (kernel === undefined || root === undefined || !isGrub) return null;
  // The ids that grub-mkconfig gives (10_linux): of the submenu, then of the entry in it; without
  // submenus (GRUB_DISABLE_SUBMENU) of the entry alone.
  const id = `gnulinux-${kernel.version}-advanced-${root}`;
  for (const name of [`gnulinux-advanced-${root}>${id}`, id]) {
    const defaults = await setDefault(subject.files, 'GRUB_DEFAULT', name);
    if (defaults === null) return null;
    const plan = await makeGrubMenu(subject, tools, [defaults]);
    if (plan.kind === 'refused') return plan;
    const started = await startedAfter(subject, plan);
    if (started?.id === id && started.kernelPath === kernel.image) return plan;
  }
  return refused(
    `GRUB's menu would not start Linux ${kernel.version} by itself: it has no entry of the name that grub-mkconfig gives, or other settings name another one.`,
    `Choose it in GRUB's menu, or name it in /etc/default/grub in rescuekit rescue and run update-grub there.`,
  );
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
  risk: `none where the modules come from the package. ${anotherRisk}`,
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
