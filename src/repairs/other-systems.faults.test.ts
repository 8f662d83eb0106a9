import { describeEach } from '../../fixtures/broken/describe-faults.ts';
import { otherSystemFaults } from '../../fixtures/broken/other-systems.ts';

describeEach('faults of systems that are made of other programs', otherSystemFaults);
