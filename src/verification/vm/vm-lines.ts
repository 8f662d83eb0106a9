import type { Host } from '../../host/host.ts';
import { chooseFirmwares, readDiskStart } from './firmware-choice.ts';
import { findUefi } from './firmware-files.ts';
import { machineArguments } from './machine-arguments.ts';
import { planOverlays } from './overlays.ts';
import type { VmRequest } from './vm-request.ts';

/** As `memoryFor` gives it on a machine with enough of its own, MiB. */
const memoryMebibytes = 2048;

/**
 * The commands of the first start with each firmware, as they are shown beforehand. Whether KVM
 * works is found out only when it is done; a further start may follow, see `proveInVm`.
 */
export const vmLines = async (
  host: Host,
  request: VmRequest,
): Promise<readonly (readonly string[])[]> => {
  const disks = await Promise.all(request.disks.map((disk) => readDiskStart(host, disk)));
  const hasKvm = (await host.files.status('/dev/kvm')) !== null;
  const lines: (readonly string[])[] = [];
  for (const firmware of chooseFirmwares(request, disks)) {
    const directory = `${request.scratch}/${firmware}-disk`;
    const overlays = await planOverlays(host, request.disks, directory);
    const secure = request.secureBoot;
    const uefi =
      firmware === 'uefi'
        ? {
            code: (await findUefi(host, secure)).code,
            variables: `${directory}/variables.fd`,
            secure,
          }
        : null;
    const words = machineArguments({
      accelerator: hasKvm ? 'kvm' : 'tcg',
      uefi,
      disks: overlays.map(({ disk }) => disk),
      ...{ bus: request.bus, network: request.network, screen: true, memoryMebibytes },
      kernel: null,
    });
    lines.push(...overlays.map(({ create }) => ['qemu-img', ...create]));
    lines.push(['qemu-system-x86_64', ...words]);
  }
  return lines;
};
