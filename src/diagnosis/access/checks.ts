import type { Check } from '../check.ts';
import { accountsCheck } from './accounts.ts';
import { auditdCheck } from './auditd.ts';
import { firewallCheck } from './firewall.ts';
import { hostKeysCheck } from './host-keys.ts';
import { hostsDenyCheck } from './hosts-deny.ts';
import { nologinCheck } from './nologin.ts';
import { pamCheck } from './pam.ts';
import { securettyCheck } from './securetty.ts';
import { selinuxCheck } from './selinux.ts';
import { sshServiceCheck } from './ssh-service.ts';
import { sshdConfigCheck } from './sshd-config.ts';
import { sshdProgramCheck } from './sshd-program.ts';
import { strictModesCheck } from './strict-modes.ts';
import { sudoersCheck } from './sudoers.ts';

export const accessChecks: readonly Check[] = [
  sshServiceCheck,
  sshdProgramCheck,
  sshdConfigCheck,
  hostKeysCheck,
  strictModesCheck,
  accountsCheck,
  pamCheck,
  sudoersCheck,
  nologinCheck,
  hostsDenyCheck,
  firewallCheck,
  auditdCheck,
  selinuxCheck,
  securettyCheck,
];
