import { z } from 'zod';

/** Stages of a boot in their order, as far as they can be told from the console. */
export const bootStages = [
  'firmware',
  'boot-loader',
  'kernel',
  'initramfs',
  'root-mounted',
  'default-target',
  'login',
] as const;

export const bootStageSchema = z.enum(bootStages);

export type BootStage = z.infer<typeof bootStageSchema>;

/**
 * How a boot was watched. `container`: the system's userland under the rescue host's kernel; that
 * says nothing of boot loader, kernel, initramfs and the devices in fstab. `vm`: from the disk's own
 * boot loader.
 */
export const proofMethodSchema = z.enum(['container', 'vm']);

export type ProofMethod = z.infer<typeof proofMethodSchema>;

export const failedUnitSchema = z.object({
  unit: z.string(),
  /** Fails in any container and says nothing about the machine, with the reason; null otherwise. */
  expected: z.string().nullable(),
  /** Last lines of its journal, cleaned. */
  journal: z.array(z.string()).readonly(),
});

export const firmwareSchema = z.enum(['bios', 'uefi']);

export type Firmware = z.infer<typeof firmwareSchema>;

export const vmBuses = ['virtio', 'nvme', 'scsi', 'sata'] as const;

/** Where the disks are attached in the virtual machine; `scsi` is virtio-scsi, `sata` AHCI. */
export const vmBusSchema = z.enum(vmBuses);

export type VmBus = z.infer<typeof vmBusSchema>;

export const busNames: Readonly<Record<VmBus, string>> = {
  virtio: 'virtio',
  nvme: 'NVMe',
  scsi: 'SCSI (virtio-scsi)',
  sata: 'SATA',
};

export const acceleratorSchema = z.enum(['kvm', 'tcg']);

export type Accelerator = z.infer<typeof acceleratorSchema>;

const passedStagesSchema = z
  .array(z.object({ stage: bootStageSchema, seconds: z.number() }))
  .readonly();

/** One start of the virtual machine. A proof may need several: see `docs/reference/boot-stages.md`. */
export const bootRunSchema = z.object({
  /**
   * `disk`: by the disk's own boot loader; `kernel`: the system's own kernel, initramfs and command
   * line started by QEMU with a serial console, for systems that do not use one.
   */
  start: z.enum(['disk', 'kernel']),
  firmware: firmwareSchema,
  accelerator: acceleratorSchema,
  /** It came to its end. The first start of a silent system does not, and a second one follows. */
  passed: z.boolean(),
  seconds: z.number(),
  stages: passedStagesSchema,
  stoppedAt: bootStageSchema.nullable(),
  cause: z.string().nullable(),
  /** Why this start tells nothing, neither good nor bad; null when it was judged. */
  notJudged: z.string().nullable().default(null),
  evidence: z.array(z.string()).readonly(),
  /** Picture of the screen at the end of this run (PNG). */
  screen: z.string().nullable(),
});

export type BootRun = Readonly<z.infer<typeof bootRunSchema>>;

/** What a watched boot showed. */
export const proofSchema = z.object({
  /** True only for a boot that was watched to its end. */
  boots: z.boolean(),
  method: proofMethodSchema,
  /** The unit that was to be reached; null where that cannot be told (a system without systemd). */
  target: z.string().nullable(),
  /** Names of the units that failed, without those that fail in any container. */
  failedUnits: z.array(z.string()).readonly(),
  /** All failed units with what is known of them. */
  units: z.array(failedUnitSchema).readonly(),
  /** Seconds from the start until the verdict. */
  seconds: z.number(),
  /** Lines that show it: of the console or the journal, cleaned. */
  evidence: z.array(z.string()).readonly(),
  /** The stages that were passed, with the seconds from the start. VM only. */
  stages: passedStagesSchema,
  /** Where it stopped, or was when watching ended; null when it boots or the method has no stages. */
  stoppedAt: bootStageSchema.nullable(),
  /** Why it does not boot, in words; null when it boots or was not judged. */
  cause: z.string().nullable(),
  /**
   * Why nothing can be said of the boot; null when it was judged, well or badly. `boots` is false
   * then, and `cause` null.
   */
  notJudged: z.string().nullable().default(null),
  /** `bios` or `uefi`; null in a container. */
  firmware: firmwareSchema.nullable(),
  /** `kvm` or `tcg` (software emulation); null in a container. */
  accelerator: acceleratorSchema.nullable(),
  /** What the machine had the disks on; null in a container. */
  bus: vmBusSchema.nullable().default(null),
  /** Picture of the screen (PNG file in the session's directory), where one was taken. */
  screen: z.string().nullable(),
  /** The starts of the virtual machine behind this verdict, in their order. VM only. */
  runs: z.array(bootRunSchema).readonly(),
  /** The slowest units, `systemd-analyze blame`, with their seconds. Container only. */
  blame: z.array(z.object({ unit: z.string(), seconds: z.number() })).readonly(),
  /** `systemd-analyze critical-chain`, line by line. Container only. */
  criticalChain: z.array(z.string()).readonly(),
});

export type Proof = Readonly<z.infer<typeof proofSchema>>;

/** Whether a boot was watched and is known to fail; one that could not be judged is not. */
export const isSeenToFail = (proof: Proof | null): boolean =>
  proof !== null && !proof.boots && proof.notJudged === null;
