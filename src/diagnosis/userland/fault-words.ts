import type { ProgramFault } from '../../system-image/program-closure.ts';

/** What is wrong with a file, to be put behind its name: "…, which is cut off". */
export const faultWords = ({ fault, detail }: ProgramFault): string => {
  switch (fault) {
    case 'missing':
      return 'is missing';
    case 'empty':
      return 'is empty';
    case 'not-elf':
      return 'holds no program code';
    case 'cut-off':
      return 'is cut off or overwritten with zeros';
    case 'not-executable':
      return 'may not be executed';
    case 'wrong-machine':
      return `is for another machine (${detail})`;
    case 'lacks-version':
      return `does not have ${detail}, which programs of a newer release want`;
  }
};
