import type { Repair } from '../repair.ts';
import { auditdSuspend } from './auditd.ts';
import { authorizedKey, authorizedKeysMode } from './authorized-keys.ts';
import { commentSshdLine } from './comment-sshd-line.ts';
import { hostKeyMode, makeHostKeys } from './host-keys.ts';
import { enableSsh, hostsDenyLine, removeNologin, unmaskSsh } from './let-in.ts';
import { openSshPort } from './open-ssh-port.ts';
import { pamCommonFiles, pamLine, pamModuleOptional } from './pam.ts';
import { restoreSshdConfig } from './restore-sshd-config.ts';
import { selinuxPolicy, selinuxRelabel } from './selinux.ts';
import { accountExpiry, loginShell, rootPassword } from './shadow.ts';
import { restoreSudoers, sudoersLine, sudoersMode } from './sudoers.ts';

export const accessRepairs: readonly Repair[] = [
  pamCommonFiles,
  pamModuleOptional,
  pamLine,
  restoreSshdConfig,
  commentSshdLine,
  hostKeyMode,
  makeHostKeys,
  unmaskSsh,
  enableSsh,
  authorizedKeysMode,
  loginShell,
  accountExpiry,
  sudoersMode,
  sudoersLine,
  restoreSudoers,
  removeNologin,
  hostsDenyLine,
  auditdSuspend,
  selinuxPolicy,
  selinuxRelabel,
  openSshPort,
  rootPassword,
  authorizedKey,
];
