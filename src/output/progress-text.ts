import type { CheckProgress } from '../filesystems/file-system.ts';

/** "pass 2 of 5  43 %" */
export const progressText = ({ message, fraction }: CheckProgress): string =>
  fraction === null ? message : `${message}  ${Math.round(fraction * 100)} %`;
