import type { Device } from '../../devices/device.ts';
import { flattenDevice } from '../../devices/device.ts';
import { openFat } from '../../filesystems/fat-reader.ts';
import { oncePer } from '../../host/once-per.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { ownDisks } from '../own-disks.ts';
import type { Subject, SubjectDevices } from '../subject.ts';

export type EspEntry = {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly sizeBytes: number;
};

/** The files of an EFI system partition, by paths from its own top. */
export type EspFiles = {
  readonly list: (path: string) => Promise<readonly EspEntry[] | null>;
  readonly read: (path: string, maxBytes: number) => Promise<Buffer | null>;
};

export type Esp = {
  readonly device: Device;
  /** Mount point of the system where it is mounted here; null when it is read without the kernel. */
  readonly mountedAt: string | null;
  /** Null when there is no file system in it that can be read. */
  readonly files: EspFiles | null;
};

/** Type of an EFI system partition, on GPT and on MBR. */
const espTypes = new Set(['c12a7328-f81f-11d2-ba4b-00a0c93ec93b', '0xef']);

const isEsp = ({ partition }: Device): boolean =>
  espTypes.has(partition?.type?.toLowerCase() ?? '');

/** Other names on the partition may differ in case from those that are asked for. */
const mountedFiles = (files: SystemFiles, top: string): EspFiles => ({
  list: async (path) => {
    const names = await files.list(`${top}${path}`);
    if (names === null) return null;
    const statuses = await Promise.all(names.map((name) => files.status(`${top}${path}/${name}`)));
    return names.map((name, index) => ({
      name,
      isDirectory: statuses[index]?.kind === 'directory',
      sizeBytes: statuses[index]?.sizeBytes ?? 0,
    }));
  },
  read: (path, maxBytes) => files.bytes(`${top}${path}`, maxBytes),
});

const open = async (subject: Subject, device: Device): Promise<Esp> => {
  const mount = subject.mounts.find(
    (one) => one.state === 'mount' && one.device !== null && one.device === device.path,
  );
  if (mount !== undefined) {
    const { target } = mount;
    return { device, mountedAt: target, files: mountedFiles(subject.files, target) };
  }
  const { path } = device;
  const fat =
    path === null
      ? null
      : await openFat((offset, length) => subject.host.files.readAt(path, offset, length));
  return { device, mountedAt: null, files: fat };
};

type OnDevices = { readonly subject: Subject; readonly devices: SubjectDevices };

const openAll = oncePer(
  ({ devices }: OnDevices) => devices,
  ({ subject, devices }): Promise<readonly Esp[]> => {
    const found = ownDisks(subject, devices).flatMap(flattenDevice).filter(isEsp);
    return Promise.all(found.map((device) => open(subject, device)));
  },
);

/** The EFI system partitions on the disks of a system, those of the root's disk first. */
export const espsOf = async (subject: Subject): Promise<readonly Esp[]> => {
  const { devices } = subject;
  return devices === null ? [] : openAll({ subject, devices });
};
