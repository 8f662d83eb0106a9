import { combinations } from '../../fixtures/broken/combinations.ts';
import { describeFaults } from '../../fixtures/broken/describe-faults.ts';

describeFaults('faults that come together', combinations);
