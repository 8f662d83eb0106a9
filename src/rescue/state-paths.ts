/** Where rescuekit keeps its own things. Nothing else on the rescue host is written. */
export type StatePaths = {
  /** Journals, transcripts and undo files; survives a reboot of the rescue host. */
  readonly sessions: string;
  /** Locks on targets. */
  readonly locks: string;
  /** Mount points and sockets; empty and removed when nothing is up. */
  readonly run: string;
  /** What was found out about this machine, until it boots again. */
  readonly machine: string;
};

const defaultState = '/var/lib/rescuekit';
const defaultRun = '/run/rescuekit';

/** With `--state-dir` everything lies below that one directory. */
export const statePaths = (stateDirectory: string | undefined): StatePaths => ({
  sessions: `${stateDirectory ?? defaultState}/sessions`,
  locks: `${stateDirectory ?? defaultState}/locks`,
  machine: `${stateDirectory ?? defaultState}/machine`,
  run: stateDirectory === undefined ? defaultRun : `${stateDirectory}/run`,
});
