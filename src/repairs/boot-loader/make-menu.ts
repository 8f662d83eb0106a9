import type { Change } from '../../changes/change.ts';
import { defaultsPath } from '../../diagnosis/boot-loader/default-grub.ts';
import { hasCommand } from '../../diagnosis/boot-loader/menu-text.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { shellQuote } from '../../host/command.ts';
import { parseGrubScript } from '../../system-image/grub-script.ts';
import { lastWords, planned, refused } from '../plan.ts';
import type { RepairPlan, RepairTools } from '../repair.ts';
import { entriesForMenu } from './blscfg-entries.ts';
import { type GrubPlaces, grubPlaces } from './grub-places.ts';
import { findGrubTools, type GrubTools, standIns, uuidLinks } from './grub-tools.ts';
import { plainGrubConfig } from './plain-grub-config.ts';

/** grub-mkconfig asks os-prober, which would look for other systems: here it sees none. */
const osProber = '/etc/grub.d/30_os-prober';

const mkconfigTimeout = 180;

/** A menu without entries, or one that GRUB would not read, is worse than none. */
const problemOf = (text: string): string | null => {
  const { problem } = parseGrubScript(text);
  if (problem !== null) return `it could not be read: ${problem.reason}`;
  return hasCommand(text, 'linux\\w*|blscfg') ? null : 'it starts no kernel';
};

const runMkconfig = async (
  subject: Subject,
  tools: RepairTools,
  grub: { readonly tools: GrubTools; readonly mkconfig: string; readonly places: GrubPlaces },
  prepare: readonly Change[],
): Promise<RepairPlan> => {
  const target = `/boot/${grub.tools.name}/grub.cfg`;
  const hasProber = (await subject.files.status(osProber)) !== null;
  const script = `mkdir -p /dev/disk/by-uuid && ${uuidLinks(grub.places)} && exec ${shellQuote(grub.mkconfig)} -o ${target}`;
  const { results, changes } = await tools.bench(
    [{ words: ['/bin/sh', '-c', script], timeoutSeconds: mkconfigTimeout }],
    [
      ...standIns(grub.tools, grub.places),
      ...(hasProber ? [{ kind: 'remove' as const, path: osProber }] : []),
      ...prepare,
    ],
  );
  const failed = results.find(({ exitCode }) => exitCode !== 0);
  if (failed !== undefined) {
    return refused(
      `The system's own grub-mkconfig failed: ${lastWords(failed)}`,
      'Look at /etc/default/grub and /etc/grub.d, then repair again.',
    );
  }
  const made = changes.find((change) => 'path' in change && change.path === target);
  const text =
    made?.kind === 'copy-entry'
      ? ((await subject.host.files.readUntrusted(made.from, 1024 * 1024))?.toString('utf8') ?? '')
      : null;
  const problem = text === null ? null : problemOf(text);
  if (problem !== null) {
    return refused(
      `The menu that the system's own grub-mkconfig made is no good: ${problem}.`,
      'Look at /boot for kernels and at /etc/grub.d, then repair again.',
    );
  }
  const menu = text ?? (await subject.files.read(target)) ?? '';
  const entries = await entriesForMenu(subject, grub.places, menu, changes);
  if (entries === null) {
    return refused(
      'The menu leaves it to /boot/loader/entries what is started; nothing is there, and no kernel in /boot has both initramfs and modules.',
      'Install a kernel: rescuekit rescue --network, then the package manager.',
    );
  }
  // grub-mkconfig leaves the file that it wrote first; only the menu is wanted.
  const wanted = changes.filter((change) => 'path' in change && change.path === target);
  return planned([...prepare, ...entries, ...wanted], [[grub.mkconfig, '-o', target]]);
};

/**
 * Makes GRUB's menu anew: by the system's own grub-mkconfig with all settings in /etc/default/grub
 * and /etc/grub.d, or, where there is none, a small one.
 *
 * @param prepare changes that come first and are part of the plan.
 */
export const makeGrubMenu = async (
  subject: Subject,
  repairTools: RepairTools,
  prepare: readonly Change[] = [],
): Promise<RepairPlan> => {
  const places = grubPlaces(subject);
  if (places === null) {
    return refused(
      'It cannot be said in terms of GRUB where /boot is.',
      'Boot the system with rescuekit rescue and run update-grub there.',
    );
  }
  if (subject.facts.kernels.length === 0) {
    return refused('There is no kernel to put into the menu.', 'Install one first.');
  }
  const tools = await findGrubTools(subject.files);
  const { mkconfig } = tools;
  if (mkconfig !== null && tools.probe !== null) {
    return runMkconfig(subject, repairTools, { tools, mkconfig, places }, prepare);
  }
  const edited = prepare.find((change) => 'path' in change && change.path === defaultsPath);
  const defaults =
    edited?.kind === 'write-file'
      ? String(edited.content)
      : ((await subject.files.read(defaultsPath)) ?? '');
  return planned([
    ...prepare,
    {
      kind: 'write-file',
      path: `/boot/${tools.name}/grub.cfg`,
      content: plainGrubConfig(subject, places, defaults),
      attributes: { mode: 0o600, uid: 0, gid: 0 },
    },
  ]);
};
