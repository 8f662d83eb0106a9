import type { SystemFacts } from '../../system-image/system-facts.ts';
import type { Proof } from '../proof.ts';
import { noMachine } from './no-machine.ts';

/** systemd-tmpfiles makes these when the machine boots, on a root that can be written by then. */
const madeAtBoot = new Set(['/tmp', '/var']);

const why =
  'systemd-nspawn makes such links and directories by itself before it starts the init, so a boot in a container would say nothing.';

type Known = Pick<SystemFacts, 'missing' | 'init' | 'initPath' | 'os'>;

type Lack = Pick<Proof, 'cause' | 'evidence'>;

/** Where the kernel itself looks for an init (init/main.c), and an initramfs as well. */
const startedByKernel = /^(\/usr)?\/(sbin|bin|etc)\/init$/;

/**
 * The container is told by nspawn where systemd is. The machine knows only these names, NixOS apart,
 * whose boot loader names the init.
 */
const lacksInit = ({ init, initPath, os }: Known): boolean =>
  initPath === null || (init === 'systemd' && os.id !== 'nixos' && !startedByKernel.test(initPath));

const lackOf = (known: Known): Lack | null => {
  const missing = known.missing.filter((name) => !madeAtBoot.has(name));
  if (missing.length > 0) {
    const names = missing.join(', ');
    return {
      cause: `${names} ${missing.length === 1 ? 'is' : 'are'} missing at the top of the system.`,
      evidence: [...missing.map((name) => `${name}: not there, or a link to nothing`), why],
    };
  }
  if (!lacksInit(known)) return null;
  const found =
    known.initPath === null ? [] : [`${known.initPath} is there, and nothing leads to it`];
  return {
    cause: 'It has no init that the kernel could start.',
    evidence: ['/sbin/init: not there, empty, or a link to nothing', ...found],
  };
};

/**
 * The proof for a system that lacks what its boot needs, seen from its files and not booted; null
 * when nothing is known to be missing.
 */
export const missingProof = (known: Known, unit: string): Proof | null => {
  const lack = lackOf(known);
  return lack === null
    ? null
    : {
        ...noMachine,
        ...lack,
        boots: false,
        target: unit,
        failedUnits: [],
        units: [],
        seconds: 0,
        blame: [],
        criticalChain: [],
      };
};
