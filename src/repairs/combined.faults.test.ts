import { containerCombinations } from '../../fixtures/broken/combinations.ts';
import { describeCombinations } from '../../fixtures/broken/describe-faults.ts';

describeCombinations('faults that come together', containerCombinations);
