import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { enableUnit, unmaskUnit } from '../unit-links.ts';

/** Takes the masks away from what the network is configured for. */
export const unmaskService: Repair = {
  id: 'network.unmask-service',
  stage: 'network',
  title: 'Unmask the service that brings up the network',
  why: 'A masked unit is never started, and nothing else brings up the network.',
  risk: 'None, if the machine is to have a network.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const changes = await Promise.all(
      findings.map(async ({ subject }) => [
        unmaskUnit(subject),
        // Masking leaves the links; where they are gone too they are made.
        ...(await enableUnit(files, subject)),
      ]),
    );
    return planned(changes.flat());
  },
};

/** Has what the network is configured for started. */
export const enableService: Repair = {
  id: 'network.enable-service',
  stage: 'network',
  title: 'Have the service started that brings up the network',
  why: 'The network is configured for it, and nothing starts it.',
  risk: 'None, if the machine is to have a network.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    if (findings.length !== 1) {
      return refused(
        'the network is configured for more than one service, and one must do it',
        `Choose one of ${findings.map(({ subject }) => subject).join(', ')} and enable it.`,
      );
    }
    const changes = await enableUnit(files, findings[0]?.subject ?? '');
    return changes.length > 0
      ? planned(changes)
      : refused('the unit does not say what starts it', 'Enable it with systemctl enable.');
  },
};
