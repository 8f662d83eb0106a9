import { bootLoaderFaults } from '../../../fixtures/broken/boot-loader.ts';
import { describeEach } from '../../../fixtures/broken/describe-faults.ts';

describeEach('faults of the boot loader', bootLoaderFaults);
