import { asComment, editLines, placesOf } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { enableUnit, unmaskUnit } from '../unit-links.ts';

/** Takes away what shuts everybody out. */
export const removeNologin: Repair = {
  id: 'access.remove-nologin',
  stage: 'access',
  title: 'Take /etc/nologin away',
  why: 'As long as it is there, only root can log in.',
  risk: 'If somebody is working on the system, others can log in meanwhile.',
  proof: 'container',
  plan: async () => planned([{ kind: 'remove', path: '/etc/nologin' }]),
};

/** Makes the denying lines comments. */
export const hostsDenyLine: Repair = {
  id: 'access.hosts-deny-line',
  stage: 'access',
  title: 'Comment the line that turns ssh away out of /etc/hosts.deny',
  why: 'sshd closes every connection because of it.',
  risk: 'Other services that ask tcpd are open too if the line meant all of them.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const text = (await files.readForEdit('/etc/hosts.deny')) ?? '';
    const lines = placesOf(findings).get('/etc/hosts.deny') ?? [];
    const content = editLines(text, new Map(lines.map((line) => [line, asComment])));
    return planned([{ kind: 'write-file', path: '/etc/hosts.deny', content }]);
  },
};

/** A mask is one link. */
export const unmaskSsh: Repair = {
  id: 'access.unmask-ssh',
  stage: 'access',
  title: 'Unmask the ssh server',
  why: 'A masked unit is never started.',
  risk: 'Whoever masked it on purpose has an open ssh server again.',
  proof: 'container',
  plan: async (_, findings) => planned(findings.map(({ subject }) => unmaskUnit(subject))),
};

/** What `systemctl enable` does: the link that [Install] asks for. */
export const enableSsh: Repair = {
  id: 'access.enable-ssh',
  stage: 'access',
  title: 'Have the ssh server started at boot',
  why: 'Nothing starts it.',
  risk: 'Whoever disabled it on purpose has an open ssh server again.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const unit = findings[0]?.subject ?? 'ssh.service';
    const changes = await enableUnit(files, unit);
    return changes.length > 0
      ? planned(changes)
      : refused(`the unit ${unit} says not what starts it`, `Run systemctl enable ${unit}.`);
  },
};
