import { describeEach } from '../../../fixtures/broken/describe-faults.ts';
import { kernelFaults } from '../../../fixtures/broken/kernel.ts';

describeEach('faults of kernel and initramfs', kernelFaults);
