import { machineCombinations } from '../../fixtures/broken/combinations.ts';
import { describeCombinations } from '../../fixtures/broken/describe-faults.ts';

describeCombinations(
  'faults that a full boot shows gone, first half',
  machineCombinations.slice(0, 10),
);
