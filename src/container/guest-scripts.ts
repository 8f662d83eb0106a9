import { shellQuote } from '../host/command.ts';
import { isRescueUnit } from './container-options.ts';
import { guestDirectory } from './guest-units.ts';

/** Variables of `--setenv`; the names are plain identifiers. */
export type Environment = readonly (readonly [name: string, value: string])[];

/** FIFOs by which the container reports; it writes, rescuekit reads. */
export const guestPipes = ['events', 'stdout', 'stderr', 'journal'] as const;

export type GuestPipe = (typeof guestPipes)[number];

const pipe = (name: GuestPipe): string => `${guestDirectory}/${name}`;

/**
 * State of the unit and the units that failed, one event a line. A rescue image may have systemd and
 * no systemctl: then nobody can be asked, and what is known is that the boot came this far.
 */
const reportLines = (unit: string): string => `exec 3>${pipe('events')}
state=started
! command -v systemctl >/dev/null 2>&1 || state=$(systemctl is-active ${shellQuote(unit)} 2>/dev/null)
failed=$(systemctl list-units --failed --plain --no-legend --no-pager 2>/dev/null)
printf 'state %s\\n' "$state" >&3
[ -z "$failed" ] || printf '%s\\n' "$failed" |
while read -r name rest; do printf 'failed %s\\n' "$name" >&3; done
`;

/** The journal of this boot, for the report on a boot that did not go well. */
const journalLines = `journalctl --boot --no-pager --quiet --output=short-monotonic >${pipe('journal')} 2>/dev/null
`;

/** Why units failed stands in the journal. */
const journalOfFailure = `[ "$state" = active ] && [ -z "$failed" ] || ${journalLines}`;

/** A system without systemd has no unit that could be reached: its shell runs, that is all. */
const startedLines = `exec 3>${pipe('events')}
printf 'state started\\n' >&3
`;

/** A command that was meant for a running unit is not run when the unit was not reached. */
const unreachedLines = `if [ "$state" != active ] && [ "$state" != started ]; then
${journalLines}exit 1
fi
`;

/**
 * PID 1 gives its services a clean environment, so `--setenv` reaches the person's command and shell
 * only by its script.
 */
const environmentLines = (environment: Environment): string =>
  environment.map(([name, value]) => `export ${name}=${shellQuote(value)}\n`).join('');

const homeLines = `export HOME=/root
cd /root 2>/dev/null || cd /
`;

/**
 * Runs in the container once the unit is reached (or its job has failed): tells the state, runs
 * the command with its own streams, tells its exit status.
 *
 * @param unit null for a system without systemd.
 */
export const runScript = (
  unit: string | null,
  keepJournal: boolean,
  environment: Environment,
): string => `#!/bin/sh
${unit === null ? startedLines : `${reportLines(unit)}${unreachedLines}`}${homeLines}${environmentLines(environment)}${guestDirectory}/command >${pipe('stdout')} 2>${pipe('stderr')} </dev/null
printf 'exit %s\\n' "$?" >&3
${unit === null ? '' : keepJournal ? journalLines : journalOfFailure}`;

/** Something that the unit needs has failed; the journal says what. */
export const emergencyScript = (unit: string): string => `#!/bin/sh
${reportLines(unit)}printf 'emergency\\n' >&3
${journalLines}systemctl --no-block --force poweroff
`;

/**
 * After the shell has ended. Left alone, systemd would go on from rescue mode to the default target
 * and start the services of the system, or show the next login prompt. Services that do run are
 * stopped in their order. A reboot or poweroff that is under way is left to go on.
 */
const leaveLines = (
  unit: string,
): string => `[ "$(systemctl is-system-running 2>/dev/null)" = stopping ] && exit 0
${isRescueUnit(unit) ? '[ "$1" = stop-services ] || exec systemctl --no-block --force poweroff\n' : ''}exec systemctl --no-block poweroff
`;

export type GuestShell = {
  readonly hostname: string;
  readonly shell: string;
  /** Null for a system without systemd. */
  readonly unit: string | null;
  readonly environment: Environment;
};

/** The login shell on the console, with a line that says where one is and how to leave. */
export const shellScript = ({
  hostname,
  shell,
  unit,
  environment,
}: GuestShell): string => `#!/bin/sh
${unit === null ? startedLines : `${reportLines(unit)}${journalOfFailure}`}exec 3>&-
${homeLines}${environmentLines(environment)}printf '\\n  You are root on %s. Leave with exit or Ctrl-D.\\n  Everything is taken down afterwards.\\n\\n' ${shellQuote(hostname)}
${unit === null ? 'exec ' : ''}${shellQuote(shell)} -l
${unit === null ? '' : leaveLines(unit)}`;
