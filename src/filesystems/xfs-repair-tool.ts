import { type CheckerOutput, type CheckerRun, runChecker } from './checker.ts';
import type { CheckContext, CheckProgress } from './file-system.ts';

/** Headings and the consequences of `-n`. */
const silent: readonly RegExp[] = [
  /^\s*$/,
  /^Phase \d/,
  /^\s+- /,
  /^No modify flag set/,
  /^(done|Exiting now\.)$/,
  // Printed when the target is a file.
  /^Cannot get host filesystem geometry/,
  /^Repair may fail if there is a sector size mismatch/,
  /^the image and the host filesystem\.$/,
];

const phases = 7;

/**
 * Progress from headings: "Phase 3 - for each AG..." and, in the phases that go through allocation
 * groups, "        - agno = 2". Holds the phase between lines.
 */
export const xfsProgress = (agcount: number): ((line: string) => CheckProgress | null) => {
  let phase = 1;
  return (line) => {
    const heading = /^Phase ([1-7]) - /.exec(line);
    if (heading !== null) phase = Number(heading[1]);
    const group = /^\s+- agno = (\d+)$/.exec(line);
    if (heading === null && group === null) return null;
    const share = group === null ? 0 : Math.min(Number(group[1]) / Math.max(agcount, 1), 1);
    return { message: `phase ${phase} of ${phases}`, fraction: (phase - 1 + share) / phases };
  };
};

export const xfsOutput = (agcount: number): CheckerOutput => ({
  isFinding: (line) => !silent.some((pattern) => pattern.test(line)),
  progress: xfsProgress(agcount),
});

/** `look` writes nothing; `zero-log` throws the log away first. */
type Mode = 'look' | 'repair' | 'zero-log';

/** xfs_repair(8): `-e` makes it say 4 when it repaired; without it 0 means "done", with or without. */
export const xfsRepairArgs = (mode: Mode, path: string): readonly string[] => {
  const flags = { look: ['-n'], repair: ['-e'], 'zero-log': ['-e', '-L'] } as const;
  return [...flags[mode], path];
};

/** Runs xfs_repair: exit 0 clean, 1 damaged (`look`) or failed, 2 dirty log, 4 repaired. */
export const runXfsRepair = (
  context: CheckContext,
  mode: Mode,
  path: string,
  agcount: number,
): Promise<CheckerRun> =>
  runChecker(
    context,
    {
      program: 'xfs_repair',
      args: xfsRepairArgs(mode, path),
      accept: mode === 'look' ? [0, 1] : [0, 1, 2, 4],
      changes: mode !== 'look',
    },
    xfsOutput(agcount),
  );
