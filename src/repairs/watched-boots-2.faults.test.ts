import { machineCombinations } from '../../fixtures/broken/combinations.ts';
import { describeCombinations } from '../../fixtures/broken/describe-faults.ts';

describeCombinations(
  'faults that a full boot shows gone, second half',
  machineCombinations.slice(10),
);
