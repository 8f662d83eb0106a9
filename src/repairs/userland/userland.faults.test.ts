import { describeEach } from '../../../fixtures/broken/describe-faults.ts';
import { userlandFaults } from '../../../fixtures/broken/userland.ts';

describeEach('faults of init and userland', userlandFaults);
