import { initramfsFaults } from '../../../fixtures/bootable/faults/initramfs-faults.ts';
import { userlandFaults } from '../../../fixtures/bootable/faults/userland-faults.ts';
import { describeFaults } from '../../../fixtures/bootable/judge-boots.ts';

describeFaults('a boot that stops in initramfs or system', {
  ...initramfsFaults,
  ...userlandFaults,
});
