import type { Finding } from '../../diagnosis/finding.ts';
import { startedKernels } from '../../diagnosis/kernel/started-kernels.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { kernelImageDamage } from '../../system-image/kernel-image.ts';
import { systemFiles } from '../../system-image/system-files.ts';
import { planned, refused } from '../plan.ts';
import type { Repair, RepairPlan, RepairTools } from '../repair.ts';
import { cachedPackages, cachedVersions } from './kernel-sources.ts';
import { anotherRisk, startAnotherPlan } from './start-another.ts';

const needsPackage =
  'Install the package of the kernel again: rescuekit rescue --network, then apt-get install --reinstall linux-image-VERSION.';

/** Fedora, Arch and others keep a copy of each kernel beside its modules. */
const copyBeside = async (
  { host, files, facts }: Subject,
  version: string,
  path: string,
): Promise<RepairPlan | null> => {
  const copy = `/usr/lib/modules/${version}/vmlinuz`;
  const found = await files.locate(copy);
  if (found?.status.kind !== 'file') return null;
  if ((await kernelImageDamage(host, files, copy, facts.architecture, true)) !== null) return null;
  return planned([{ kind: 'copy-entry', path, from: found.hostPath }]);
};

const fromPackage = async (
  subject: Subject,
  tools: RepairTools,
  version: string,
  path: string,
): Promise<RepairPlan | null> => {
  const packages = await cachedPackages(subject.files, version);
  const command = (deb: string) => ['/usr/bin/dpkg-deb', '--extract', deb, '/'];
  if (packages.length === 0) return null;
  const { results, changes } = await tools.bench(
    packages.map((deb) => ({ words: command(deb), timeoutSeconds: 300 })),
  );
  if (results.some(({ exitCode }) => exitCode !== 0)) return null;
  const made = changes.find((change) => 'path' in change && change.path === path);
  if (made?.kind !== 'copy-entry') return null;
  const directory = made.from.slice(0, made.from.lastIndexOf('/'));
  const unpacked = systemFiles(subject.host.files, directory);
  const name = made.from.slice(directory.length);
  const { architecture } = subject.facts;
  const damage = await kernelImageDamage(subject.host, unpacked, name, architecture, true);
  return damage === null ? planned([made], packages.map(command)) : null;
};

type Wanted = { readonly version: string; readonly path: string };

const wantedBy = async (
  subject: Subject,
  findings: readonly Finding[],
): Promise<readonly Wanted[]> => {
  const started = await startedKernels(subject);
  const damaged = started.flatMap(({ image, version }) =>
    findings.some((finding) => finding.subject === image) ? [{ version, path: image }] : [],
  );
  if (damaged.length > 0) return damaged;
  // There is no kernel: one whose modules are here is as good as new.
  const names = (await subject.files.list('/lib/modules')) ?? [];
  const versions = await cachedVersions(subject.files);
  return [...names, ...versions.filter((version) => !names.includes(version))].map((version) => ({
    version,
    path: `/boot/vmlinuz-${version}`,
  }));
};

export const restoreImage: Repair = {
  id: 'kernel.restore-image',
  stage: 'initramfs',
  title: 'Put the kernel back',
  why: 'The kernel that is started is missing or damaged.',
  risk: `none where it comes from the package or a copy of the same version. ${anotherRisk}`,
  proof: 'vm',
  plan: async (subject, findings, tools) => {
    for (const { version, path } of await wantedBy(subject, findings)) {
      const plan =
        (await copyBeside(subject, version, path)) ??
        (await fromPackage(subject, tools, version, path));
      if (plan !== null) return plan;
    }
    const damaged = new Set(findings.map((finding) => finding.subject));
    const another = await startAnotherPlan(subject, tools, (image) => damaged.has(image));
    return (
      another ?? refused('Neither a package nor a copy of the kernel is on the disk.', needsPackage)
    );
  },
};
