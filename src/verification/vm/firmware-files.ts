import type { Host } from '../../host/host.ts';
import { missingFiles } from '../../host/packages.ts';

/** Flash images of EDK2 for QEMU: the code, and variables to begin with. */
export type FirmwareFiles = { readonly code: string; readonly variables: string };

const pair = (directory: string, code: string, variables: string): FirmwareFiles => ({
  code: `${directory}/${code}`,
  variables: `${directory}/${variables}`,
});

/** Where Debian and Ubuntu, Fedora, Arch and SUSE put them; images of 4 MiB are the newer ones. */
const plainPlaces: readonly FirmwareFiles[] = [
  pair('/usr/share/OVMF', 'OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'),
  pair('/usr/share/OVMF', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  pair('/usr/share/edk2/ovmf', 'OVMF_CODE.fd', 'OVMF_VARS.fd'),
  pair('/usr/share/edk2/x64', 'OVMF_CODE.4m.fd', 'OVMF_VARS.4m.fd'),
  pair('/usr/share/qemu', 'ovmf-x86_64-4m-code.bin', 'ovmf-x86_64-4m-vars.bin'),
];

/** With Microsoft's keys enrolled: what machines are sold with. */
const securePlaces: readonly FirmwareFiles[] = [
  pair('/usr/share/OVMF', 'OVMF_CODE_4M.secboot.fd', 'OVMF_VARS_4M.ms.fd'),
  pair('/usr/share/OVMF', 'OVMF_CODE.secboot.fd', 'OVMF_VARS.ms.fd'),
  pair('/usr/share/edk2/ovmf', 'OVMF_CODE.secboot.fd', 'OVMF_VARS.secboot.fd'),
  pair('/usr/share/qemu', 'ovmf-x86_64-smm-ms-code.bin', 'ovmf-x86_64-smm-ms-vars.bin'),
];

/**
 * The UEFI firmware that this machine has for QEMU.
 *
 * @throws RescueError `MISSING_FILES` naming the package on this distribution.
 */
export const findUefi = async (host: Host, secure: boolean): Promise<FirmwareFiles> => {
  for (const files of secure ? securePlaces : plainPlaces) {
    const found = await Promise.all(
      [files.code, files.variables].map((path) => host.files.statusFollowed(path)),
    );
    if (found.every((status) => status !== null)) return files;
  }
  throw missingFiles(
    secure ? 'UEFI firmware for QEMU with Secure Boot' : 'UEFI firmware for QEMU',
    'ovmf',
    (await host.files.readText('/etc/os-release')) ?? '',
  );
};
