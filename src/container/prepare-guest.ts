import { shellQuote } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import type { BindMount } from './container-options.ts';
import {
  type Environment,
  emergencyScript,
  guestPipes,
  runScript,
  shellScript,
} from './guest-scripts.ts';
import {
  commonUnits,
  type GuestFile,
  guestDirectory,
  guestUnits,
  unitDirectory,
} from './guest-units.ts';

/** What is to happen once the system is up. */
export type GuestWork =
  | { readonly kind: 'shell'; readonly shell: string; readonly hostname: string }
  /** `text` is a script: run by its `#!` interpreter, by /bin/sh when it has none. */
  | { readonly kind: 'command'; readonly text: string }
  /** Nothing but watching: a script with the units that start it, whatever the boot comes to. */
  | { readonly kind: 'watch'; readonly script: string; readonly units: readonly GuestFile[] };

export type GuestRequest = {
  /** Private directory of the session; the guest's files are made in it. */
  readonly runDirectory: string;
  /** Unit to boot into, null for a system without systemd. */
  readonly unit: string | null;
  readonly work: GuestWork;
  readonly hasRescueTarget: boolean;
  readonly keepJournal: boolean;
  readonly environment: Environment;
  /**
   * The container has users of its own. A bind below /run/systemd makes nspawn create directories
   * there that the guest's PID 1 does not own, and it gives up: the units then lie in one place of
   * their own that PID 1 is told of.
   */
  readonly privateUsers: boolean;
  /** Records a file that is made here as shell lines, for the transcript. */
  readonly note: (shell: string) => void;
};

export type Guest = {
  readonly directory: string;
  readonly binds: readonly BindMount[];
  /** For PID 1 of the container. */
  readonly environment: Environment;
  /** What nspawn runs for a system without systemd. */
  readonly program: readonly string[];
};

const commandScripts = (
  { unit, keepJournal, environment }: GuestRequest,
  text: string,
): readonly GuestFile[] => [
  { path: 'run', text: runScript(unit, keepJournal, environment) },
  { path: 'command', text: text.startsWith('#!') ? text : `#!/bin/sh\n${text}\n` },
  ...(unit === null ? [] : [{ path: 'emergency', text: emergencyScript(unit) }]),
];

const scripts = (request: GuestRequest): readonly GuestFile[] => {
  const { unit, work, environment } = request;
  switch (work.kind) {
    case 'shell':
      return [{ path: 'shell', text: shellScript({ ...work, unit, environment }) }];
    case 'command':
      return commandScripts(request, work.text);
    case 'watch':
      return [{ path: 'watch', text: work.script }];
  }
};

const unitFiles = ({ unit, work, hasRescueTarget }: GuestRequest): readonly GuestFile[] => {
  if (unit === null) return [];
  return work.kind === 'watch'
    ? [...work.units, ...commonUnits]
    : guestUnits({ unit, purpose: work.kind, hasRescueTarget });
};

const heredoc = (path: string, text: string, mode: number): string =>
  `cat > ${shellQuote(path)} <<'RESCUEKIT_END'\n${text.trimEnd()}\nRESCUEKIT_END\nchmod ${mode.toString(8)} ${shellQuote(path)}`;

/** A session may boot more than once: to work in it, and to see whether it boots. */
const freeNumber = async ({ files }: Host, runDirectory: string): Promise<string> => {
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : `-${number}`;
    if ((await files.status(`${runDirectory}/guest${suffix}`)) === null) return suffix;
  }
};

/**
 * Makes the scripts, units and FIFOs of one boot in the session's private directory, and says how
 * they are bound into the container. Nothing is written to the disk.
 */
export const prepareGuest = async (host: Host, request: GuestRequest): Promise<Guest> => {
  const { files } = host;
  const number = await freeNumber(host, request.runDirectory);
  const directory = `${request.runDirectory}/guest${number}`;
  const units = `${request.runDirectory}/units${number}`;
  const write = async (path: string, text: string, mode: number): Promise<void> => {
    await files.writeText(path, text, mode);
    request.note(heredoc(path, text, mode));
  };
  await Promise.all([directory, units].map((path) => files.ensureDirectory(path, 0o755)));
  request.note(`mkdir --parents ${directory} ${units}`);
  await host.run({
    program: 'mkfifo',
    // Others cannot reach them: the session's directory is closed to them. A container with users
    // of its own writes as one of those.
    args: ['--mode=0666', ...guestPipes.map((name) => `${directory}/${name}`)],
  });
  await Promise.all(
    scripts(request).map(({ path, text }) => write(`${directory}/${path}`, text, 0o755)),
  );
  const main = { source: directory, destination: guestDirectory, readOnly: true };
  const apart = request.privateUsers;
  const binds = await Promise.all(
    unitFiles(request).map(async ({ path, text }, index) => {
      const source = apart
        ? `${directory}/units${path.slice(unitDirectory.length)}`
        : `${units}/${index}`;
      await files.ensureDirectory(source.slice(0, source.lastIndexOf('/')), 0o755);
      await write(source, text, 0o644);
      return { source, destination: path, readOnly: true };
    }),
  );
  const script = { shell: 'shell', command: 'run', watch: 'watch' }[request.work.kind];
  return {
    directory,
    binds: apart ? [main] : [main, ...binds],
    // systemd(1): the empty part after the colon stands for the usual directories.
    environment: apart ? [['SYSTEMD_UNIT_PATH', `${guestDirectory}/units:`]] : [],
    program: ['/bin/sh', `${guestDirectory}/${script}`],
  };
};
