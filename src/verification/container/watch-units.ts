import { type GuestFile, guestDirectory, unitDirectory } from '../../container/guest-units.ts';

const service = 'rescuekit-watch.service';

const dropIn = (unit: string, text: string): GuestFile => ({
  path: `${unitDirectory}/${unit}.d/rescuekit.conf`,
  text,
});

/**
 * Nothing comes before it, so that it sees a boot that does not get far, and no switch to another
 * target ends it. Type=simple: its start is done at once, and it is not itself what the boot waits
 * for.
 */
const watchService = `[Unit]
Description=Watching the boot (rescuekit)
DefaultDependencies=no
IgnoreOnIsolate=yes
FailureAction=poweroff-force

[Service]
Type=simple
StandardInput=null
StandardOutput=null
StandardError=null
ExecStart=/bin/sh ${guestDirectory}/watch
`;

/** In place of sulogin: nobody is there to give a password. Its target then counts as reached. */
const noPassword = `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=
ExecStart=
ExecStart=-/bin/sh -c :
ExecStopPost=
StandardInput=null
`;

const notInContainer = '[Unit]\nConditionVirtualization=!container\n';

/**
 * The units of a boot that is only watched, with the names of those that are left out. A target that does not exist makes systemd fall back to
 * rescue.target, and a failure leads to emergency.target: the watcher comes with each of them.
 */
export const watchUnits = (unit: string, leftOut: readonly string[]): readonly GuestFile[] => [
  { path: `${unitDirectory}/${service}`, text: watchService },
  ...[...new Set([unit, 'rescue.target', 'emergency.target'])].map((target) =>
    dropIn(target, `[Unit]\nWants=${service}\n`),
  ),
  ...['rescue.service', 'emergency.service'].map((name) => dropIn(name, noPassword)),
  ...leftOut.map((name) => dropIn(name, notInContainer)),
];
