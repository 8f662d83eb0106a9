import { isRescueUnit } from './container-options.ts';

/** A file that is bound read-only into the container; nothing of it reaches the disk. */
export type GuestFile = { readonly path: string; readonly text: string };

/** Where the container sees the scripts and FIFOs of this session. */
export const guestDirectory = '/run/rescuekit';

/** Runtime units win over /usr/lib and lose against /etc (systemd.unit(5)). */
export const unitDirectory = '/run/systemd/system';

/**
 * Ends the container. `--force` skips stopping each unit: in rescue mode nothing runs that would
 * have to be asked, and PID 1 still syncs, ends the processes and unmounts.
 */
const powerOff = '-/bin/systemctl --no-block --force poweroff';

/**
 * A shell with the console as its terminal, in place of sulogin and its password. What comes after
 * the shell is in its script and not in ExecStopPost=, which for a unit of Type=idle waits five
 * seconds while other units stop.
 *
 * A `poweroff` typed in the shell stops the shell, too. A hangup is not enough: now and then bash
 * gets it just before it waits for the next key, sleeps on, and the container hangs for 90 s.
 */
const shellService = (description: string): string => `[Unit]
Description=${description}
FailureAction=poweroff-force

[Service]
Type=idle
Environment=HOME=/root
ExecStartPre=
ExecStart=
ExecStart=/bin/sh ${guestDirectory}/shell
ExecStopPost=
StandardInput=tty-force
StandardOutput=inherit
StandardError=inherit
TTYPath=/dev/console
TTYReset=yes
KillMode=control-group
IgnoreSIGPIPE=no
SendSIGHUP=no
KillSignal=SIGKILL
SuccessExitStatus=SIGKILL
`;

/** Keeps the unit in the transaction without asking anybody for a password. */
const quietService = (script: string): string => `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=
ExecStart=
ExecStart=-/bin/sh ${script}
ExecStopPost=
StandardInput=null
`;

/**
 * Reports that the unit was reached and runs the person's command, then ends the container: by
 * systemctl, and by SuccessAction= (systemd 236) where a rescue image has none.
 */
const runService = (unit: string): string => `[Unit]
Description=rescuekit command
DefaultDependencies=no
After=${unit}
FailureAction=poweroff-force
SuccessAction=${isRescueUnit(unit) ? 'poweroff-force' : 'poweroff'}

[Service]
Type=oneshot
StandardInput=null
TimeoutStartSec=infinity
ExecStart=/bin/sh ${guestDirectory}/run
ExecStopPost=${isRescueUnit(unit) ? powerOff : '-/bin/systemctl --no-block poweroff'}
`;

/**
 * The shell for a boot into another unit than rescue. It is a service of its own and no login, so
 * that it needs neither a password nor a working PAM, and comes whatever the unit pulls in.
 */
const shellBeside = (unit: string): string =>
  shellService('Shell (rescuekit)').replace(
    '\n\n[Service]',
    `\nDefaultDependencies=no\nAfter=${unit}\nConflicts=shutdown.target\nBefore=shutdown.target\n\n[Service]`,
  );

/** Two programs that read from one console take each other's letters. */
const noLoginPrompt: GuestFile = {
  path: `${unitDirectory}/console-getty.service.d/rescuekit.conf`,
  text: `[Unit]\nConditionPathExists=!${guestDirectory}\n`,
};

/** Who goes on from the rescue shell to the default target gets a shell there as well, no login. */
const shellForLogin: GuestFile = {
  path: noLoginPrompt.path,
  text: `${shellService('Shell (rescuekit)').replace('/shell\n', '/shell stop-services\n')}Restart=no\n`,
};

const pulledInBy = (unit: string, service: string): GuestFile => ({
  path: `${unitDirectory}/${unit}.d/rescuekit.conf`,
  text: `[Unit]\nWants=${service}\n`,
});

/** `halt` leaves a container hanging for 90 s: there is no machine that would stop. */
const haltIsPoweroff: GuestFile = {
  path: `${unitDirectory}/systemd-halt.service.d/rescuekit.conf`,
  text: `[Unit]
SuccessAction=poweroff-force

[Service]
ExecStart=
ExecStart=/bin/systemctl --force poweroff
`,
};

/**
 * The root is mounted as it is to be. In a container the unit cannot find a root that fstab names
 * by a tag and fails on a healthy system; a root that it does find it would remount, whatever the
 * person has asked for.
 */
const noRemount: GuestFile = {
  path: `${unitDirectory}/systemd-remount-fs.service.d/rescuekit.conf`,
  text: '[Unit]\nConditionVirtualization=!container\n',
};

/** For a tree whose systemd has no rescue mode of its own, as rescue images have. */
const ownRescueTarget: GuestFile = {
  path: `${unitDirectory}/rescue.target`,
  text: `[Unit]
Description=Rescue Mode (rescuekit)
Requires=sysinit.target rescue.service
After=sysinit.target rescue.service
AllowIsolate=yes
`,
};

/** What every boot in the container gets, whatever is done in it. */
export const commonUnits: readonly GuestFile[] = [haltIsPoweroff, noRemount];

export type GuestPlan = {
  readonly unit: string;
  readonly purpose: 'shell' | 'command';
  /** The tree brings its own rescue.target. */
  readonly hasRescueTarget: boolean;
};

/** The units that make a boot into `unit` give a shell, or run a command, without a password. */
export const guestUnits = (plan: GuestPlan): readonly GuestFile[] => {
  const dropIn = (service: string, text: string): GuestFile => ({
    path: `${unitDirectory}/${service}.d/rescuekit.conf`,
    text,
  });
  const ownUnits = plan.hasRescueTarget
    ? []
    : [
        ownRescueTarget,
        { path: `${unitDirectory}/rescue.service`, text: '[Unit]\nDefaultDependencies=no\n' },
      ];
  const service = 'rescuekit-run.service';
  const shells =
    plan.purpose === 'shell'
      ? [
          dropIn('rescue.service', shellService('Rescue shell (rescuekit)')),
          dropIn('emergency.service', shellService('Emergency shell (rescuekit)')),
        ]
      : [
          dropIn('rescue.service', quietService('-c :')),
          dropIn('emergency.service', quietService(`${guestDirectory}/emergency`)),
        ];
  const work: readonly GuestFile[] =
    plan.purpose === 'command'
      ? [
          pulledInBy(plan.unit, service),
          { path: `${unitDirectory}/${service}`, text: runService(plan.unit) },
        ]
      : isRescueUnit(plan.unit)
        ? [shellForLogin]
        : [
            pulledInBy(plan.unit, service),
            { path: `${unitDirectory}/${service}`, text: shellBeside(plan.unit) },
            noLoginPrompt,
          ];
  return [...ownUnits, ...shells, ...work, ...commonUnits];
};
