import { z } from 'zod';

export const initSchema = z.enum(['systemd', 'sysvinit', 'openrc', 'busybox', 'unknown']);

export const kernelSchema = z.object({
  version: z.string(),
  /** Path inside the system, for instance `/boot/vmlinuz-6.1.0-20-amd64`. */
  image: z.string(),
  /**
   * Path inside the system, or null when there is none for this kernel or it is empty. A unified
   * kernel image carries its own: then it is the image's path.
   */
  initramfs: z.string().nullable(),
  /** Whether the modules directory for this version is there. */
  modules: z.boolean(),
});

export const bootLoaderSchema = z.object({
  name: z.enum(['grub', 'systemd-boot', 'extlinux', 'u-boot', 'unknown']),
  /** The configuration that it reads, path inside the system; null when it is missing. */
  config: z.string().nullable(),
});

export const fstabEntrySchema = z.object({
  /** Line number in the file, from 1. */
  line: z.int(),
  spec: z.string(),
  target: z.string(),
  fsType: z.string(),
  options: z.array(z.string()).readonly(),
  dump: z.int(),
  pass: z.int(),
});

/** An array as the system's mdadm.conf names it. */
export const arrayLineSchema = z.object({
  /** Line number in the file, from 1. */
  line: z.int(),
  /** `/dev/md0` or `/dev/md/NAME`; null when the line gives none. */
  device: z.string().nullable(),
  /** As mdadm writes it: eight hex digits four times. */
  uuid: z.string().nullable(),
  /** Name in the metadata, `HOST:NAME` or `NAME`. */
  name: z.string().nullable(),
  /** Preferred minor of metadata 0.90. */
  superMinor: z.int().nullable(),
});

export const crypttabEntrySchema = z.object({
  /** Line number in the file, from 1. */
  line: z.int(),
  /** Name of the mapping, below /dev/mapper. */
  name: z.string(),
  /** The container, as fstab would name it. */
  source: z.string(),
  /** Null when the passphrase is asked for. */
  keyFile: z.string().nullable(),
  options: z.array(z.string()).readonly(),
  kind: z.enum(['luks', 'plain', 'bitlocker', 'tcrypt']),
});

/** What is inside a root file system, read without running anything of it. */
export const systemFactsSchema = z.object({
  os: z.object({
    id: z.string().nullable(),
    versionId: z.string().nullable(),
    prettyName: z.string(),
  }),
  hostname: z.string().nullable(),
  /** Debian-independent machine name as `uname -m` would say: x86_64, aarch64, i686 … */
  architecture: z.string().nullable(),
  init: initSchema,
  /**
   * The path by which the init is started, for instance `/sbin/init`, whatever it links to: busybox
   * goes by that name. Null when there is none that exists and is executable.
   */
  initPath: z.string().nullable(),
  /** systemd's major version where the files tell, for instance 252. */
  systemdVersion: z.int().nullable(),
  /** Login shell of root when it exists and is executable, else another shell, else null. */
  shell: z.string().nullable(),
  kernels: z.array(kernelSchema).readonly(),
  bootLoaders: z.array(bootLoaderSchema).readonly(),
  fstab: z.array(fstabEntrySchema).readonly(),
  /** Lines that are no entry, with the reason; they are reported and not dropped in silence. */
  fstabProblems: z
    .array(z.object({ line: z.int(), text: z.string(), reason: z.string() }))
    .readonly(),
  /** ARRAY lines of mdadm.conf: what `/dev/md0` in fstab means. */
  arrays: z.array(arrayLineSchema).readonly(),
  /** The encrypted volumes that the system opens when it boots. */
  crypttab: z.array(crypttabEntrySchema).readonly(),
  /** Top-level names that a system needs and that are missing, for instance `/lib64`. */
  missing: z.array(z.string()).readonly(),
  /** SELinux is configured as enforcing or permissive: edits from outside need a relabel. */
  selinux: z.boolean(),
  /**
   * Paths inside the system that are there and could not be read, because the file system is
   * damaged: what depends on them is reported as absent.
   */
  unreadable: z.array(z.string()).readonly(),
});

export type SystemFacts = Readonly<z.infer<typeof systemFactsSchema>>;
export type FstabEntry = Readonly<z.infer<typeof fstabEntrySchema>>;
export type ArrayLine = Readonly<z.infer<typeof arrayLineSchema>>;
export type CrypttabEntry = Readonly<z.infer<typeof crypttabEntrySchema>>;
export type Kernel = Readonly<z.infer<typeof kernelSchema>>;
export type Init = z.infer<typeof initSchema>;

/** What the contents of one mounted file system look like. */
export type ContentKind = 'root' | 'usr' | 'var' | 'boot' | 'esp' | 'home' | 'unknown';
