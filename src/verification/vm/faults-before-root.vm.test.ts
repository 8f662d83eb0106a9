import { bootLoaderFaults } from '../../../fixtures/bootable/faults/boot-loader-faults.ts';
import { firmwareFaults } from '../../../fixtures/bootable/faults/firmware-faults.ts';
import { kernelFaults } from '../../../fixtures/bootable/faults/kernel-faults.ts';
import { describeFaults } from '../../../fixtures/bootable/judge-boots.ts';

describeFaults('a boot that stops in firmware, boot loader or kernel', {
  ...firmwareFaults,
  ...bootLoaderFaults,
  ...kernelFaults,
});
