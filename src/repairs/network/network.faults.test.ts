import { describeEach } from '../../../fixtures/broken/describe-faults.ts';
import { networkFaults } from '../../../fixtures/broken/network.ts';

describeEach('faults of the network', networkFaults);
