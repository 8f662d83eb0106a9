/** What PID 1 says before it stops for good (`freeze` in systemd's sources). */
const lastWords = /\bFreezing execution\b|\bfreezing\.$/i;

/** PID 1 has given up, and the container would hang until the time limit. */
export const isFrozen = (line: string): boolean => lastWords.test(line.trim());

/**
 * nspawn's own talk: a harmless message when it clears its directory, and how the container ended,
 * which is what ended it.
 */
const ofNspawn =
  /^Attempted to remove disk file system under|^Container \S+ (?:terminated|has been|is being)/;

/** The last lines of the console that say something about the system. */
export const lastConsoleLines = (console: readonly string[], count = 10): readonly string[] =>
  console.filter((line) => !ofNspawn.test(line)).slice(-count);
