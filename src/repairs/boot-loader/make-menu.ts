import type { Change } from '../../changes/change.ts';
import { defaultsPath } from '../../diagnosis/boot-loader/default-grub.ts';
import { hasCommand } from '../../diagnosis/boot-loader/menu-text.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { shellQuote } from '../../host/command.ts';
import { losslessText } from '../../host/lossless-text.ts';
import type { BootEntry } from '../../system-image/boot-entry.ts';
import { readGrubMenu } from '../../system-image/grub-menu.ts';
import { parseGrubScript } from '../../system-image/grub-script.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { lastWords, planned, refused } from '../plan.ts';
import type { RepairPlan, RepairTools } from '../repair.ts';
import { entriesForMenu } from './blscfg-entries.ts';
import { type GrubPlaces, grubPlaces } from './grub-places.ts';
import { findGrubTools, type GrubTools, standIns, uuidLinks } from './grub-tools.ts';
import { osProber, otherSystems, withOtherSystems } from './other-systems.ts';
import { plainGrubConfig, readDefaults } from './plain-grub-config.ts';

/** For the risk of each repair that makes the menu anew. */
export const menuRisk =
  "GRUB's menu is made anew: what was edited in grub.cfg by hand is lost; entries of other systems that os-prober had found are kept, except where the system has no grub-mkconfig";

const mkconfigTimeout = 180;

/** What is read of a menu; a longer one is not taken apart either. */
const mostBytes = 1024 * 1024;

/** A menu without entries, or one that GRUB would not read, is worse than none. */
const problemOf = (text: string): string | null => {
  const { problem } = parseGrubScript(text);
  if (problem !== null) return `it could not be read: ${problem.reason}`;
  return hasCommand(text, 'linux\\w*|blscfg') ? null : 'it starts no kernel';
};

/**
 * The entries of other systems in the menu that is there: here os-prober would see none. Null where
 * the system's own update-grub would not keep them.
 */
const keptEntries = async ({ files }: Subject, target: string): Promise<string | null> => {
  const prober = await files.status(osProber);
  if (prober === null || (prober.mode & 0o111) === 0) return null;
  const defaults = readDefaults((await files.read(defaultsPath)) ?? '');
  if (defaults.get('GRUB_DISABLE_OS_PROBER') === 'true') return null;
  const size = (await files.status(target))?.sizeBytes ?? 0;
  return size === 0 || size > mostBytes
    ? null
    : otherSystems((await files.readForEdit(target)) ?? '');
};

type MadeMenu = {
  /** As grub-mkconfig made it. */
  readonly own: string;
  /** As it is to be, and how it comes to be so. */
  readonly text: string;
  readonly changes: readonly Change[];
};

/** The menu that grub-mkconfig made on the workbench; null when it is the one that is there. */
const madeMenu = async (
  subject: Subject,
  target: string,
  all: readonly Change[],
): Promise<MadeMenu | null> => {
  const changes = all.filter((change) => 'path' in change && change.path === target);
  const made = changes.find((change) => change.kind === 'copy-entry');
  if (made === undefined) return null;
  const bytes = await subject.host.files.readUntrusted(made.from, mostBytes);
  const own = losslessText(bytes ?? Buffer.alloc(0));
  // Where it takes the place of something else, or is not read to its end, nothing is put into it.
  const isPlain = changes.length === 1 && own.length < mostBytes;
  const kept = isPlain ? await keptEntries(subject, target) : null;
  if (kept === null) return { own, text: own, changes };
  const text = withOtherSystems(own, kept);
  return { own, text, changes: [{ kind: 'write-file', path: target, content: text }] };
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
  const made = await madeMenu(subject, target, changes);
  const problem = made === null ? null : (problemOf(made.own) ?? problemOf(made.text));
  if (problem !== null) {
    return refused(
      `The menu that the system's own grub-mkconfig made is no good: ${problem}.`,
      'Look at /boot for kernels and at /etc/grub.d, then repair again.',
    );
  }
  const menu = made?.text ?? (await subject.files.read(target)) ?? '';
  const entries = await entriesForMenu(subject, grub.places, menu, changes);
  if (entries === null) {
    return refused(
      'The menu leaves it to /boot/loader/entries what is started; nothing is there, and no kernel in /boot has both initramfs and modules.',
      'Install a kernel: rescuekit rescue --network, then the package manager.',
    );
  }
  // grub-mkconfig leaves the file that it wrote first; only the menu is wanted.
  return planned(
    [...prepare, ...entries, ...(made?.changes ?? [])],
    [[grub.mkconfig, '-o', target]],
  );
};

/**
 * Makes GRUB's menu anew: by the system's own grub-mkconfig with all settings in /etc/default/grub
 * and /etc/grub.d and the entries of other systems that the menu has, or, where there is none, a
 * small one.
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

/**
 * What GRUB starts by itself after a plan of `makeGrubMenu`: the settings and what is saved in
 * grubenv count as they do for GRUB. Null when that cannot be told.
 */
export const startedAfter = async (
  subject: Subject,
  { changes }: Extract<RepairPlan, { readonly kind: 'changes' }>,
): Promise<BootEntry | null> => {
  const { files, host } = subject;
  const menu = changes.findLast((one) => 'path' in one && /\/grub2?\/grub\.cfg$/.test(one.path));
  const textOf = async (): Promise<string | null> => {
    if (menu?.kind === 'write-file') return String(menu.content);
    if (menu?.kind !== 'copy-entry') return null;
    return (await host.files.readUntrusted(menu.from, mostBytes))?.toString('utf8') ?? null;
  };
  const text = await textOf();
  const isMenu = (path: string): boolean =>
    menu !== undefined && 'path' in menu && path === menu.path;
  const after: SystemFiles = {
    ...files,
    read: async (path, maxBytes) => (isMenu(path) ? text : files.read(path, maxBytes)),
  };
  return (await readGrubMenu(after))?.entries.find(({ isDefault }) => isDefault) ?? null;
};
