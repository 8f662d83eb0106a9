import { describeEach } from '../../../fixtures/broken/describe-faults.ts';
import { spaceFaults } from '../../../fixtures/broken/space.ts';

describeEach('faults of space', spaceFaults);
