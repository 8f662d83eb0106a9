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

/**
 * Each of these waits for an interface of the machine to come up, for one to two minutes, and then
 * fails: the container has none. What configures the network still runs.
 */
const waitsForNetwork = [
  'systemd-networkd-wait-online.service',
  'systemd-networkd-wait-online@.service',
  'NetworkManager-wait-online.service',
  'ifupdown-wait-online.service',
  'connman-wait-online.service',
];

/** It asks questions on the console of a system that has never booted, and waits for the answers. */
const asksQuestions = 'systemd-firstboot.service';

const notInContainer = '[Unit]\nConditionVirtualization=!container\n';

/**
 * The units of a boot that is only watched. A target that does not exist makes systemd fall back to
 * rescue.target, and a failure leads to emergency.target: the watcher comes with each of them.
 */
export const watchUnits = (unit: string): readonly GuestFile[] => [
  { path: `${unitDirectory}/${service}`, text: watchService },
  ...[...new Set([unit, 'rescue.target', 'emergency.target'])].map((target) =>
    dropIn(target, `[Unit]\nWants=${service}\n`),
  ),
  ...['rescue.service', 'emergency.service'].map((name) => dropIn(name, noPassword)),
  ...[...waitsForNetwork, asksQuestions].map((name) => dropIn(name, notInContainer)),
];
