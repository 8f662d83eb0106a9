import { accessFaults } from '../../../fixtures/broken/access.ts';
import { describeEach } from '../../../fixtures/broken/describe-faults.ts';

describeEach('faults of access', accessFaults);
