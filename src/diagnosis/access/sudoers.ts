import type { FileStatus } from '../../host/files.ts';
import { firstInside } from '../../system-image/inside.ts';
import {
  parseSudoers,
  sudoersFault,
  sudoersFiles,
  sudoersPath,
} from '../../system-image/sudoers.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { compareVersions } from '../../system-image/version-compare.ts';
import type { Check } from '../check.ts';
import { commandEvidence, fileEvidence, octalMode } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { rootEnters } from './root-enters.ts';

type Complaint = { readonly path: string; readonly line: number; readonly reason: string };

// `/etc/sudoers:55:16: syntax error`, before 1.9.3 `>>> /etc/sudoers: syntax error near line 5 <<<`.
const newForm = /^(\/[^:]+):(\d+):\d+: (.+)$/;
const oldForm = /^>>> (\/[^:]+): (.+) near line (\d+) <<<$/;

/** The places that visudo names. */
export const parseVisudo = (output: string): readonly Complaint[] =>
  output.split(/\r?\n/).flatMap((text) => {
    const [, path, line, reason] = newForm.exec(text) ?? [];
    if (path !== undefined) return [{ path, line: Number(line), reason: reason ?? '' }];
    const [, oldPath, oldReason, oldLine] = oldForm.exec(text) ?? [];
    if (oldPath === undefined) return [];
    return [{ path: oldPath, line: Number(oldLine), reason: oldReason ?? '' }];
  });

export const visudoWords = ['/usr/sbin/visudo', '-cf', sudoersPath] as const;

const byReading = async (
  files: SystemFiles,
  paths: readonly string[],
): Promise<readonly Complaint[]> => {
  const texts = await Promise.all(paths.map((path) => files.read(path)));
  return paths.flatMap((path, index) =>
    parseSudoers(texts[index] ?? '').flatMap((line) => {
      const reason = sudoersFault(line);
      return reason === null ? [] : [{ path, line: line.line, reason }];
    }),
  );
};

/** Since 1.9.3 sudo leaves out a line that it cannot read; before, it refused everything. */
const goesOn = async (files: SystemFiles, program: string): Promise<boolean> => {
  const text = (await files.bytes(program, 4 * 1024 * 1024))?.toString('latin1') ?? '';
  const version = /\0(1\.\d{1,2}\.\d{1,2})(?:p\d+)?\0/.exec(text)?.[1];
  return version !== undefined && compareVersions(version, '1.9.3') >= 0;
};

const invalidFindings = async (
  { files, runInside }: Subject,
  paths: readonly string[],
  { program, alone }: { readonly program: string; readonly alone: boolean },
): Promise<readonly Finding[]> => {
  const read = await byReading(files, paths);
  const result = (await files.isFilled(visudoWords[0]))
    ? await runInside({ words: visudoWords, timeoutSeconds: 30 })
    : null;
  const said = result === null ? [] : parseVisudo(`${result.stdout}\n${result.stderr}`);
  const complaints = result?.exitCode === 0 ? [] : said.length > 0 ? said : read;
  const severity =
    alone && complaints.length > 0 && !(await goesOn(files, program)) ? 'critical' : 'warning';
  const texts = new Map(
    await Promise.all(
      paths.map(async (path) => [path, ((await files.read(path)) ?? '').split('\n')] as const),
    ),
  );
  return complaints.map(({ path, line, reason }) => ({
    id: 'access.sudoers-invalid',
    severity,
    title: `sudo cannot read line ${line} of ${path}: ${reason}`,
    subject: `${path}:${line}`,
    evidence: [
      fileEvidence(path, line, texts.get(path)?.[line - 1] ?? ''),
      ...(said.length > 0 && result !== null ? [commandEvidence(visudoWords, result.stderr)] : []),
    ],
    meaning:
      severity === 'critical'
        ? 'This version of sudo refuses to work at all, and nobody can become root another way.'
        : 'What the line allows is not allowed; older versions of sudo refuse to work at all.',
    repair: 'access.sudoers-line',
  }));
};

/** What sudo asks of a file or directory that it trusts (sudo_secure_path). */
const untrusted = ({ uid, gid, mode }: FileStatus): string | null => {
  if (uid !== 0) return `belongs to user ${uid} and not to root`;
  if ((mode & 0o002) !== 0) return `mode ${octalMode(mode)}: everybody may write it`;
  if ((mode & 0o020) !== 0 && gid !== 0)
    return `mode ${octalMode(mode)}: group ${gid} may write it`;
  return null;
};

const modeFindings = async (
  files: SystemFiles,
  paths: readonly string[],
  alone: boolean,
): Promise<readonly Finding[]> => {
  const text = (await files.read(sudoersPath)) ?? '';
  const included = /^\s*[@#]includedir\s+\/etc\/sudoers\.d\s*$/m.test(text);
  const places = [...paths, ...(included ? ['/etc/sudoers.d'] : [])];
  const statuses = await Promise.all(places.map((path) => files.status(path)));
  return places.flatMap((path, index): readonly Finding[] => {
    const status = statuses[index] ?? null;
    // The gid of sudoers itself must be root's too when anybody but the owner may read it.
    const foreignGroup = path === sudoersPath && status !== null && status.gid !== 0;
    const reason =
      status === null
        ? null
        : (untrusted(status) ?? (foreignGroup ? `belongs to group ${status.gid}, not root` : null));
    if (reason === null) return [];
    const main = path === sudoersPath;
    return [
      {
        id: 'access.sudoers-mode',
        severity: main && alone ? 'critical' : 'warning',
        title: `sudo does not trust ${path}: it ${reason.replace(/^mode/, 'has mode')}`,
        subject: path,
        evidence: [fileEvidence(path, null, reason)],
        meaning: main
          ? 'sudo refuses to work until the file has its owner and mode back.'
          : 'sudo leaves it out, and what it allows is not allowed.',
        repair: 'access.sudoers-mode',
      },
    ];
  });
};

const missingFinding = (alone: boolean): Finding => ({
  id: 'access.sudoers-missing',
  severity: alone ? 'critical' : 'warning',
  title: `sudo is installed, and ${sudoersPath} is missing or empty`,
  subject: sudoersPath,
  evidence: [fileEvidence(sudoersPath, null, 'is missing or empty')],
  meaning: 'sudo refuses everybody.',
  repair: 'access.restore-sudoers',
});

/** sudo's configuration: there, readable, trusted. */
export const sudoersCheck: Check = {
  area: 'access',
  finds: ['access.sudoers-invalid', 'access.sudoers-mode', 'access.sudoers-missing'],
  run: async (subject) => {
    const { files } = subject;
    const [program, direct, filled, vendor] = await Promise.all([
      firstInside(['/usr/bin/sudo', '/usr/local/bin/sudo'], (path) => files.isFilled(path)),
      rootEnters(files),
      files.isFilled(sudoersPath),
      files.isFilled('/usr/etc/sudoers'),
    ]);
    // sudo-rs and doas read other files; SUSE keeps the vendor's file below /usr.
    if (program === null || (vendor && !filled)) return [];
    if (!filled) return [missingFinding(!direct)];
    const paths = await sudoersFiles(files);
    const [invalid, modes] = await Promise.all([
      invalidFindings(subject, paths, { program, alone: !direct }),
      modeFindings(files, paths, !direct),
    ]);
    return [...modes, ...invalid];
  },
};
