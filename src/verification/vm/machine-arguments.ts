import type { Accelerator, VmBus } from '../proof.ts';
import type { FirmwareFiles } from './firmware-files.ts';
import type { OwnKernel } from './vm-request.ts';

/** A disk of the machine: the base is only read, what is written goes to the overlay. */
export type MachineDisk = {
  readonly base: string;
  readonly isBlockDevice: boolean;
  readonly overlay: string;
  /** Logical sector of the disk: its partition table is counted in them. */
  readonly sectorBytes: number;
  readonly serial: string;
};

/** `variables` is a copy that the machine may write. */
export type MachineUefi = FirmwareFiles & { readonly secure: boolean };

export type MachinePlan = {
  readonly accelerator: Accelerator;
  /** Null for a BIOS. */
  readonly uefi: MachineUefi | null;
  readonly disks: readonly MachineDisk[];
  readonly bus: VmBus;
  readonly network: boolean;
  /**
   * A graphics adapter. Without one GRUB's graphical menu falls back to text, and all text of
   * firmware and boot loader comes over the serial line.
   */
  readonly screen: boolean;
  readonly memoryMebibytes: number;
  /** Started by QEMU in place of the disk's boot loader. */
  readonly kernel: OwnKernel | null;
};

/** Names in the machine's directory, which is also QEMU's working directory. */
export const machineFiles = {
  /** First serial port: what the system writes. */
  console: 'console',
  /** Second serial port: what firmware and boot loader write to the screen. */
  firmware: 'firmware',
  monitor: 'monitor',
  pid: 'pid',
  mirrorPort: 'sercon-port',
} as const;

/**
 * The port at which SeaBIOS repeats all text of BIOS and boot loaders, a number in little-endian
 * order. Not the first one: a boot loader that writes there itself would be seen in doubled words.
 */
export const mirrorPort = Buffer.of(0xf8, 0x02);

const json = (value: unknown): readonly string[] => ['-blockdev', JSON.stringify(value)];

const machineType = ({ uefi }: MachinePlan): string => {
  if (uefi === null) return 'pc';
  return `q35,pflash0=code,pflash1=variables${uefi.secure ? ',smm=on' : ''}`;
};

/**
 * What is left out of the emulated processor, because software emulation makes it slow; a boot takes
 * a quarter less without. Page tables of five levels are walked in software. With `erms` and `fsrm`
 * kernel and libc copy by `rep movsb`, which is emulated byte by byte. With `smap` the translated
 * code is looked up anew around each access to memory of a program. No system needs them: the level
 * x86-64-v3 has none of them.
 */
const slowFeatures = ['la57', 'erms', 'fsrm', 'smap'];

/**
 * The processors that are seen. In software emulation there is one: with several, each in a thread of
 * its own, a kernel that patches its own code (`text_poke`) may go on being run as it was before, and
 * a healthy system stands still with "soft lockup" (seen with QEMU 7.2, in one of some thirty boots
 * on a busy host). A boot takes a third longer where a second core is free for it, and less than with
 * two where it is not.
 */
export const processorArguments = (accelerator: Accelerator): readonly string[] =>
  accelerator === 'kvm'
    ? ['-accel', 'kvm', '-cpu', 'host', '-smp', '2']
    : [
        ...['-accel', 'tcg,thread=single', '-smp', '1'],
        ...['-cpu', ['max', ...slowFeatures.map((name) => `${name}=off`)].join()],
      ];

/** What the disk brings is run here: QEMU itself may start nothing and gain no rights. */
export const confinement: readonly string[] = [
  '-sandbox',
  'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
];

const firmwareArguments = ({ uefi }: MachinePlan): readonly string[] => {
  // EDK2 writes to both ports by itself.
  if (uefi === null) {
    return ['-fw_cfg', `name=etc/sercon-port,file=${machineFiles.mirrorPort}`];
  }
  const flash = (name: string, filename: string, readOnly: boolean) =>
    json({
      'node-name': name,
      driver: 'raw',
      'read-only': readOnly,
      file: { driver: 'file', filename },
    });
  return [
    ...flash('code', uefi.code, true),
    ...flash('variables', uefi.variables, false),
    // Only code in system management mode may write the variables that hold the keys.
    ...(uefi.secure ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
    ...(uefi.secure ? ['-global', 'ICH9-LPC.disable_s3=1'] : []),
  ];
};

const diskNode = (disk: MachineDisk, index: number): readonly string[] =>
  json({
    'node-name': `disk${index}`,
    driver: 'qcow2',
    file: {
      driver: 'file',
      filename: disk.overlay,
      // Thrown away in the end: nothing has to reach the platter.
      cache: { direct: false, 'no-flush': true },
    },
    backing: {
      driver: 'raw',
      'read-only': true,
      file: {
        driver: disk.isBlockDevice ? 'host_device' : 'file',
        filename: disk.base,
        'read-only': true,
      },
    },
  });

/** Ports of one AHCI controller. */
const sataPorts = 6;

const busDevice = (bus: VmBus, index: number): string => {
  switch (bus) {
    case 'virtio':
      return 'virtio-blk-pci';
    case 'nvme':
      return 'nvme';
    case 'scsi':
      return 'scsi-hd,bus=scsi.0';
    case 'sata':
      return `ide-hd,bus=sata${Math.floor(index / sataPorts)}.${index % sataPorts}`;
  }
};

const controllers = ({ bus, disks }: MachinePlan): readonly string[] => {
  if (bus === 'scsi') return ['-device', 'virtio-scsi-pci,id=scsi'];
  if (bus !== 'sata') return [];
  const count = Math.ceil(disks.length / sataPorts);
  return Array.from({ length: count }, (_, index) => [
    '-device',
    `ich9-ahci,id=sata${index}`,
  ]).flat();
};

const diskArguments = (plan: MachinePlan): readonly string[] => [
  ...controllers(plan),
  ...plan.disks.flatMap((disk, index) => [
    ...diskNode(disk, index),
    '-device',
    [
      busDevice(plan.bus, index),
      `drive=disk${index}`,
      `serial=${disk.serial}`,
      `bootindex=${index + 1}`,
      `logical_block_size=${disk.sectorBytes}`,
      `physical_block_size=${disk.sectorBytes}`,
    ].join(','),
  ]),
];

const networkArguments = (network: boolean): readonly string[] =>
  network
    ? // Without its ROM the firmware does not try to boot from it.
      ['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile=']
    : ['-nic', 'none'];

const kernelArguments = (kernel: OwnKernel | null): readonly string[] =>
  kernel === null
    ? []
    : [
        ...['-kernel', kernel.kernel],
        ...(kernel.initramfs === null ? [] : ['-initrd', kernel.initramfs]),
        ...['-append', kernel.commandLine],
      ];

const serialPort = (name: string): readonly string[] => [
  ...['-chardev', `socket,id=${name},path=${name},server=on,wait=on`],
  ...['-serial', `chardev:${name}`],
];

/** The words for QEMU. It waits with starting the machine until someone reads its ports. */
export const machineArguments = (plan: MachinePlan): readonly string[] => [
  ...['-machine', machineType(plan)],
  ...processorArguments(plan.accelerator),
  ...['-m', `${plan.memoryMebibytes}`],
  ...['-nodefaults', '-no-user-config', '-display', 'none'],
  ...confinement,
  ...['-boot', 'strict=on'],
  ...firmwareArguments(plan),
  ...diskArguments(plan),
  ...networkArguments(plan.network),
  ...['-device', 'virtio-rng-pci'],
  ...(plan.screen ? ['-device', 'VGA'] : []),
  ...kernelArguments(plan.kernel),
  ...serialPort(machineFiles.console),
  ...serialPort(machineFiles.firmware),
  ...['-qmp', `unix:${machineFiles.monitor},server=on,wait=off`],
  ...['-pidfile', machineFiles.pid],
];
