import { type DiskFamily, rootFamilies } from '../diagnosis/kernel/machine-bus.ts';
import { anyDisk } from '../diagnosis/kernel/root-needs.ts';
import { type StartedKernel, startedKernels } from '../diagnosis/kernel/started-kernels.ts';
import type { Subject } from '../diagnosis/subject.ts';
import { modulesIn, readInitramfs } from '../system-image/initramfs.ts';
import { builtinModules } from '../system-image/kernel-modules.ts';
import { busNames, type Proof, type VmBus, vmBuses } from '../verification/proof.ts';

/** What a virtual machine is to have the disks on. */
export type BusChoice = {
  readonly bus: VmBus;
  /** For a person, when it is not the ordinary one; null otherwise. */
  readonly why: string | null;
  /**
   * Why a boot that does not reach its root says nothing: the system has drivers for other disks
   * than a virtual machine has. Null when it has one for these, or when that cannot be told.
   */
  readonly unfit: string | null;
};

/** What the kernel needs to see a disk there, all of it (kernel: drivers/block, nvme, scsi, ata). */
const drivers: Readonly<Record<VmBus, readonly string[]>> = {
  virtio: ['virtio_pci', 'virtio_blk'],
  nvme: ['nvme'],
  scsi: ['virtio_pci', 'virtio_scsi', 'sd_mod'],
  sata: ['ahci', 'sd_mod'],
};

/** Where the kernel calls the disks so. */
const busesOf: Readonly<Record<DiskFamily, readonly VmBus[]>> = {
  vd: ['virtio'],
  nvme: ['nvme'],
  sd: ['scsi', 'sata'],
  xvd: [],
  mmcblk: [],
};

/** What a kernel can load before it has its root; null when that cannot be told. */
const loadable = async (
  { host, files }: Subject,
  { version, initrds }: StartedKernel,
): Promise<ReadonlySet<string> | null> => {
  const builtin = await builtinModules(files, version);
  if (builtin === null) return null;
  const images = await Promise.all(
    initrds.map(({ path }) => (path === null ? null : readInitramfs(host, files, path))),
  );
  const names: string[] = [];
  for (const image of images) {
    if (image?.kind !== 'whole') return null;
    names.push(...image.names);
  }
  return new Set([...builtin, ...modulesIn(new Set(names)).of(version)]);
};

/**
 * What to have the disks on, so that a boot shows what it would show at home. An initramfs that was
 * made for one machine (`MODULES=dep`, dracut's hostonly) has the driver of that machine's bus and
 * no other; and a root that is called by the kernel's name (`/dev/sda2`) is there on one bus only.
 *
 * @param wish what a person wants to have tried, for instance before a move; null for no wish.
 */
export const chooseBus = async (subject: Subject, wish: VmBus | null): Promise<BusChoice> => {
  // A unified image carries its initramfs in itself, and is not looked into.
  const kernels = (await startedKernels(subject)).filter(({ image }) => !/\.efi$/i.test(image));
  const sets = (await Promise.all(kernels.map((kernel) => loadable(subject, kernel)))).filter(
    (set) => set !== null,
  );
  const fits = (bus: VmBus) => sets.every((set) => drivers[bus].every((name) => set.has(name)));
  if (wish !== null) {
    const why = fits(wish) ? null : 'for which it has no driver before its root is mounted';
    return { bus: wish, why, unfit: null };
  }
  const families = await rootFamilies(subject, kernels[0]?.options ?? null);
  const named = [...families].flatMap((family) => busesOf[family]);
  const order = [...new Set([...named, ...vmBuses])];
  const fitting = order.find(fits);
  const bus = fitting ?? order[0] ?? 'virtio';
  if (fitting === undefined) {
    const others = sets.some((set) => anyDisk.modules.some((name) => set.has(name)));
    return { bus, why: null, unfit: others ? noDriver : null };
  }
  if (bus === 'virtio') return { bus, why: null, unfit: null };
  const why = named.includes(bus)
    ? 'as the system itself names the disk of its root'
    : 'since it has no driver for virtio before its root is mounted';
  return { bus, why, unfit: null };
};

const noDriver =
  'Before its root is mounted the system has drivers for other disks only than those of a virtual machine (virtio, NVMe, virtio-scsi, AHCI): it may well boot on the machine that its initramfs was made for.';

/** Says with a verdict what the disks were on; one that comes of it alone is none. */
export const onChosenBus = (proof: Proof, { bus, why, unfit }: BusChoice): Proof => {
  const stoppedBefore = ['kernel', 'initramfs'].includes(proof.stoppedAt ?? '');
  const open = unfit !== null && proof.cause !== null && stoppedBefore;
  const said = why === null ? [] : [`Its disks were on ${busNames[bus]}, ${why}.`];
  return {
    ...proof,
    ...(open ? { cause: null, notJudged: unfit } : {}),
    evidence: [...said, ...proof.evidence],
  };
};
