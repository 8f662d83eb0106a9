import { plainText } from '../host/plain-text.ts';
import { RescueError } from '../host/rescue-error.ts';
import { checkResult, orResult } from './check-result.ts';
import { type CheckerRun, runTool } from './checker.ts';
import { e2fsckExit, runE2fsck, usedBackup } from './e2fsck.ts';
import { backupNeeded, lookAtExt } from './ext-look.ts';
import { type BackupSuperblock, findBackups, readSuperblock } from './ext-superblock.ts';
import type { CheckContext, CheckResult, RepairContext } from './file-system.ts';

/** One file for all runs of a repair: e2fsck adds to it, and keeps the oldest state of a block. */
const undoFileFor = ({ keepDirectory, device, host }: RepairContext): string => {
  const name = device.replace(/^\/dev\//, '').replaceAll('/', '-');
  const time = host
    .now()
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '');
  return `${keepDirectory}/e2fsck-${name}-${time}.undo`;
};

const ended = (run: CheckerRun): boolean =>
  (run.exitCode & ~(e2fsckExit.corrected | e2fsckExit.reboot)) === 0;

/** The backup superblock that the person allowed, if it can be read. */
const allowedBackup = async (context: RepairContext): Promise<BackupSuperblock | undefined> => {
  const { backupSuperblock } = context.lastResorts;
  if (backupSuperblock === false) return undefined;
  const block = backupSuperblock === true ? undefined : backupSuperblock;
  return (await findBackups(context, block))[0];
};

type Mending = { readonly look: CheckResult; readonly corrected: readonly string[] };

/**
 * First what a boot does (`-p`, safe corrections only), then `-y` where that is not enough; twice,
 * because one correction can show the next problem. Each time it is looked at again.
 */
const mend = async (
  context: RepairContext,
  undoFile: string,
  backup: BackupSuperblock | undefined,
): Promise<Mending> => {
  const corrected: string[] = [];
  const modes = backup === undefined ? (['-p', '-y', '-y'] as const) : (['-y', '-y'] as const);
  let look: CheckResult | null = null;
  for (const [index, mode] of modes.entries()) {
    const withBackup = backup !== undefined && index === 0 ? { backup } : {};
    const target = { path: context.device, changes: true, undoFile };
    const run = await runE2fsck(context, { mode, ...target, ...withBackup });
    corrected.push(...run.findings);
    if (!ended(run) && mode === '-p') continue;
    look = await lookAtExt(context);
    if (look.outcome === 'clean') break;
  }
  return { look: look ?? (await lookAtExt(context)), corrected };
};

const repaired = (
  context: RepairContext,
  before: CheckResult,
  { look, corrected }: Mending,
  undoFile: string | null,
): CheckResult => {
  if (look.outcome !== 'clean') {
    const detail = `e2fsck could not mend all of it: ${look.detail}`;
    return checkResult(context, 'damaged', detail, { ...look, undoFile });
  }
  const done = before.needsReplay ? 'The journal was replayed' : 'It was mended';
  const final =
    undoFile === null ? ' This cannot be taken back: the journal is on another device.' : '';
  return checkResult(context, 'repaired', `${done}, and a second look found no problem.${final}`, {
    evidence: corrected,
    undoFile,
  });
};

/** Findings that show that e2fsck would take a backup superblock by itself with `-y`. */
const wouldUseBackup = async (context: CheckContext): Promise<readonly string[] | null> => {
  const { findings } = await runE2fsck(context, {
    mode: '-n',
    path: context.device,
    changes: false,
  });
  const superblock = await readSuperblock(context);
  return superblock === null || usedBackup(findings) ? findings : null;
};

/** Mends an ext file system; every block that e2fsck changes is kept in an undo file first. */
export const repairExt = async (context: RepairContext): Promise<CheckResult> => {
  const before = await lookAtExt(context);
  if (before.outcome === 'clean') return before;
  // Not even readable by e2fsck: writing to it cannot help.
  if (before.outcome === 'skipped' && !before.needsReplay) return before;
  const headless = await wouldUseBackup(context);
  const backup = headless === null ? undefined : await allowedBackup(context);
  if (headless !== null && backup === undefined) return backupNeeded(context, headless);
  const undoFile = undoFileFor(context);
  // Played back, it would want a journal again that e2fsck has emptied on the other device.
  const useless = before.needsReplay && (await readSuperblock(context))?.externalJournal === true;
  const written = async () =>
    useless || (await context.host.files.status(undoFile)) === null ? null : undoFile;
  if (!useless) await context.onUndoFile(undoFile);
  return orResult(
    async () => {
      const mending = await mend(context, undoFile, backup);
      return repaired(context, before, mending, await written());
    },
    async (words) =>
      checkResult(context, 'damaged', `The repair stopped: ${words}`, {
        needsReplay: before.needsReplay,
        undoFile: await written(),
      }),
  );
};

/**
 * Plays an undo file of e2fsck back, so that the device is as it was before the repair.
 *
 * @throws RescueError `UNDO_REFUSED` when the file system was written since: e2undo(8) compares the
 *   superblock, and then changes nothing.
 */
export const undoExtRepair = async (
  context: Pick<CheckContext, 'host' | 'device' | 'signal'>,
  undoFile: string,
): Promise<void> => {
  const result = await runTool(context, {
    program: 'e2undo',
    args: [undoFile, context.device],
    accept: [0, 1],
  });
  if (result.exitCode === 0) return;
  throw new RescueError({
    code: 'UNDO_REFUSED',
    message: `The repair of ${context.device} was not taken back: ${plainText(result.stderr || result.stdout)}`,
    hint: `When the file system was used since the repair, the undo file no longer fits. Nothing was changed; ${undoFile} is kept.`,
    exit: 4,
  });
};
