type Show = (line: string) => void;

/** The terminal is one for the whole process, and so is the task that is drawn on it. */
let drawn: Show | null = null;

/**
 * While a task is drawn, what others print is kept back until its end: `show` is for meanwhile.
 * Null when it is drawn no longer.
 */
export const drawTask = (show: Show | null): void => {
  drawn = show;
};

/** A line from a program of the person's own, as it comes; it stays on standard error. */
export const writeAside = (line: string): void => {
  drawn?.(line);
  process.stderr.write(`  ${line}\n`);
};
