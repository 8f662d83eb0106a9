import { isRescueUnit } from './container-options.ts';

/** A file that is bound read-only into the container; nothing of it reaches the disk. */
export type GuestFile = { readonly path: string; readonly text: string };

/** Where the container sees the scripts and FIFOs of this session. */
export const guestDirectory = '/run/rescuekit';

/** Runtime units win over /usr/lib and lose against /etc (systemd.unit(5)). */
const unitDirectory = '/run/systemd/system';

/**
 * Ends the container. `--force` skips stopping each unit: in rescue mode nothing runs that would
 * have to be asked, and PID 1 still syncs, ends the processes and unmounts.
 */
const powerOff = '-/bin/systemctl --no-block --force poweroff';

/**
 * A shell with the console as its terminal, in place of sulogin and its password. What comes after
 * the shell is in its script and not in ExecStopPost=, which for a unit of Type=idle waits five
 * seconds while other units stop.
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
SendSIGHUP=yes
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

/** Reports that the unit was reached and runs the person's command, then ends the container. */
const runService = (unit: string): string => `[Unit]
Description=rescuekit command
DefaultDependencies=no
After=${unit}
FailureAction=poweroff-force

[Service]
Type=oneshot
StandardInput=null
TimeoutStartSec=infinity
ExecStart=/bin/sh ${guestDirectory}/run
ExecStopPost=${isRescueUnit(unit) ? powerOff : '-/bin/systemctl --no-block poweroff'}
`;

/** Reports that the unit was reached, and what failed on the way, and leaves the system running. */
const reportService = (unit: string): string => `[Unit]
Description=rescuekit boot report
DefaultDependencies=no
After=${unit}

[Service]
Type=oneshot
StandardInput=null
ExecStart=-/bin/sh ${guestDirectory}/report
`;

/** Another unit than rescue brings a login prompt: root is let in without the password. */
const autologin: GuestFile = {
  path: `${unitDirectory}/console-getty.service.d/rescuekit.conf`,
  text: `[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud - 115200,38400,9600 linux
`,
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
        ? []
        : [
            pulledInBy(plan.unit, service),
            { path: `${unitDirectory}/${service}`, text: reportService(plan.unit) },
            autologin,
          ];
  return [...ownUnits, ...shells, ...work, haltIsPoweroff, noRemount];
};
