import { shellQuote } from '../host/command.ts';
import { guestDirectory } from './guest-units.ts';

/** FIFOs by which the container reports; it writes, rescuekit reads. */
export const guestPipes = ['events', 'stdout', 'stderr', 'journal'] as const;

export type GuestPipe = (typeof guestPipes)[number];

const pipe = (name: GuestPipe): string => `${guestDirectory}/${name}`;

/** State of the unit and the units that failed, one event a line. */
const reportLines = (unit: string): string => `exec 3>${pipe('events')}
state=$(systemctl is-active ${shellQuote(unit)} 2>/dev/null)
printf 'state %s\\n' "$state" >&3
systemctl list-units --failed --plain --no-legend --no-pager 2>/dev/null |
while read -r name rest; do printf 'failed %s\\n' "$name" >&3; done
`;

/** Warnings and worse of this boot, for the report on a boot that did not go well. */
const journalLines = `journalctl --boot --no-pager --quiet --output=short-monotonic >${pipe('journal')} 2>/dev/null
printf 'journal end\\n' >&3
`;

/** A system without systemd has no unit that could be reached: its shell runs, that is all. */
const startedLines = `exec 3>${pipe('events')}
printf 'state started\\n' >&3
`;

/** A command that was meant for a running unit is not run when the unit was not reached. */
const unreachedLines = `if [ "$state" != active ]; then
${journalLines}exit 1
fi
`;

/**
 * Runs in the container once the unit is reached (or its job has failed): tells the state, runs
 * the command with its own streams, tells its exit status.
 *
 * @param unit null for a system without systemd.
 */
export const runScript = (unit: string | null, keepJournal: boolean): string => `#!/bin/sh
${unit === null ? startedLines : `${reportLines(unit)}${unreachedLines}`}export HOME=/root
cd /root 2>/dev/null || cd /
${guestDirectory}/command >${pipe('stdout')} 2>${pipe('stderr')} </dev/null
printf 'exit %s\\n' "$?" >&3
${keepJournal && unit !== null ? journalLines : ''}`;

/** Reports without running anything: for a boot into a unit of the person's choice. */
export const reportScript = (unit: string): string => `#!/bin/sh
${reportLines(unit)}${journalLines}`;

/** Something that the unit needs has failed; the journal says what. */
export const emergencyScript = (unit: string): string => `#!/bin/sh
${reportLines(unit)}printf 'emergency\\n' >&3
${journalLines}systemctl --no-block --force poweroff
`;

/**
 * After the rescue shell has ended. Left alone, systemd would go on to the default target and start
 * the services of the system; a reboot or poweroff that is under way is left to go on.
 */
const leaveLines = `[ "$(systemctl is-system-running 2>/dev/null)" = stopping ] && exit 0
exec systemctl --no-block --force poweroff
`;

/** The login shell on the console, with a line that says where one is and how to leave. */
export const shellScript = (
  hostname: string,
  shell: string,
  unit: string | null,
): string => `#!/bin/sh
${unit === null ? startedLines : reportLines(unit)}exec 3>&-
export HOME=/root
cd /root 2>/dev/null || cd /
printf '\\n  You are root on %s. Leave with exit or Ctrl-D.\\n  Everything is taken down afterwards.\\n\\n' ${shellQuote(hostname)}
${unit === null ? 'exec ' : ''}${shellQuote(shell)} -l
${unit === null ? '' : leaveLines}`;
