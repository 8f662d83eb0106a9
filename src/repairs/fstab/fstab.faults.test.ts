import { describeEach } from '../../../fixtures/broken/describe-faults.ts';
import { fstabFaults } from '../../../fixtures/broken/fstab.ts';

describeEach('faults of fstab and crypttab', fstabFaults);
