/** What PID 1 says before it stops for good (`freeze` in systemd's sources). */
const lastWords = /\bFreezing execution\b|\bfreezing\.$/i;

/** PID 1 has given up, and the container would hang until the time limit. */
export const isFrozen = (line: string): boolean => lastWords.test(line.trim());

/** nspawn's own talk when it clears its directory, and what is said of the watcher's own units. */
const ofWatching =
  /^Attempted to remove disk file system under|rescuekit.*\.mount: |^rescuekit-watch\.service: (?!.*\/bin\/sh)/;

/** The last lines of the console that say something about the system. */
export const lastConsoleLines = (console: readonly string[], count = 10): readonly string[] =>
  console.filter((line) => !ofWatching.test(line)).slice(-count);
