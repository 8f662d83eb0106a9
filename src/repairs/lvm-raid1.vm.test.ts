import { describeLabFaults } from '../../fixtures/broken/describe-lab-faults.ts';
import { lvmFaults } from '../../fixtures/broken/lab-faults.ts';

describeLabFaults('faults of a system on LVM on RAID1', lvmFaults);
