import { describeLabFaults } from '../../../fixtures/broken/describe-lab-faults.ts';
import { efiFaults } from '../../../fixtures/broken/lab-faults.ts';

describeLabFaults('faults of the EFI system partition', efiFaults);
