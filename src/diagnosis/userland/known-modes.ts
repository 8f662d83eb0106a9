/**
 * Owner and mode of files that every distribution has the same way, or that programs insist on.
 * The package database of dpkg holds no modes, so this table is what a repair can know. Groups are
 * by name: their numbers differ from system to system.
 */
export type KnownMode = {
  readonly path: string;
  readonly mode: number;
  /** User and group names; root when left out. */
  readonly user?: string;
  readonly group?: string;
};

const each = (
  mode: number,
  paths: string,
  more: Omit<KnownMode, 'path' | 'mode'> = {},
): readonly KnownMode[] => paths.split(/\s+/).map((path) => ({ path, mode, ...more }));

/** Directories that everybody must be able to walk through. */
export const openDirectories: readonly KnownMode[] = each(
  0o755,
  '/ /etc /usr /usr/bin /usr/sbin /usr/lib /usr/lib64 /usr/share /bin /sbin /lib /lib64 /var ' +
    '/var/lib /var/log /var/cache /var/spool /run /dev /home /etc/systemd /etc/systemd/system ' +
    '/etc/ssh /etc/pam.d /etc/security /etc/default /usr/lib/systemd /usr/lib/systemd/system',
);

export const temporaryDirectories: readonly KnownMode[] = each(0o1777, '/tmp /var/tmp');

/** Programs that do their work only with another user's rights. The first four are looked at. */
export const setuidPrograms: readonly KnownMode[] = each(
  0o4755,
  '/usr/bin/sudo /usr/bin/su /usr/bin/mount /usr/bin/passwd /bin/su /bin/mount /usr/bin/umount ' +
    '/bin/umount /usr/bin/chsh /usr/bin/chfn /usr/bin/gpasswd /usr/bin/newgrp /usr/bin/pkexec ' +
    '/usr/bin/fusermount3 /usr/lib/polkit-1/polkit-agent-helper-1 /usr/lib/openssh/ssh-keysign',
);

const setgidPrograms: readonly KnownMode[] = [
  ...each(0o2755, '/usr/sbin/unix_chkpwd /sbin/unix_chkpwd /usr/bin/chage /usr/bin/expiry', {
    group: 'shadow',
  }),
  ...each(0o2755, '/usr/bin/crontab', { group: 'crontab' }),
  ...each(0o4754, '/usr/lib/dbus-1.0/dbus-daemon-launch-helper', { group: 'messagebus' }),
];

const openFiles: readonly KnownMode[] = each(
  0o644,
  '/etc/passwd /etc/passwd- /etc/group /etc/group- /etc/fstab /etc/hosts /etc/hostname ' +
    '/etc/nsswitch.conf /etc/profile /etc/bash.bashrc /etc/ld.so.conf /etc/ld.so.cache ' +
    '/etc/login.defs /etc/environment /etc/shells /etc/crontab /etc/inittab /etc/host.conf ' +
    '/etc/ssh/sshd_config /etc/ssh/ssh_config /etc/default/grub /etc/systemd/system.conf',
);

const closedFiles: readonly KnownMode[] = [
  ...each(0o640, '/etc/shadow /etc/shadow- /etc/gshadow /etc/gshadow-', { group: 'shadow' }),
  ...each(0o440, '/etc/sudoers'),
  ...each(0o600, '/etc/.pwd.lock /etc/security/opasswd /boot/grub/grub.cfg'),
  ...each(
    0o600,
    '/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key',
  ),
  ...each(0o444, '/etc/machine-id'),
];

const specialDirectories: readonly KnownMode[] = [
  ...each(0o700, '/root /lost+found /var/lib/private /var/log/private /var/cache/private'),
  ...each(0o700, '/var/cache/ldconfig /etc/ssl/private'),
  ...each(0o750, '/etc/sudoers.d'),
  ...each(0o2775, '/var/mail', { group: 'mail' }),
  ...each(0o2775, '/var/local', { group: 'staff' }),
  ...each(0o2755, '/var/log/journal', { group: 'systemd-journal' }),
  ...each(0o1730, '/var/spool/cron/crontabs', { group: 'crontab' }),
  ...each(0o700, '/var/cache/apt/archives/partial /var/lib/apt/lists/partial', { user: '_apt' }),
];

const programs: readonly KnownMode[] = each(
  0o755,
  '/bin/sh /bin/bash /bin/dash /bin/login /usr/bin/login /usr/bin/bash /usr/bin/dash ' +
    '/usr/lib/systemd/systemd /lib/systemd/systemd /usr/libexec/sudo /usr/lib/sudo',
);

const sudoPlugins: readonly KnownMode[] = each(
  0o644,
  '/usr/libexec/sudo/sudoers.so /usr/lib/sudo/sudoers.so',
);

/** All of them; a later entry of one path does not exist. */
export const knownModes: readonly KnownMode[] = [
  ...openDirectories,
  ...temporaryDirectories,
  ...setuidPrograms,
  ...setgidPrograms,
  ...openFiles,
  ...closedFiles,
  ...specialDirectories,
  ...programs,
  ...sudoPlugins,
];
