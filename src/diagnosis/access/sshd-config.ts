import { lastPlainLines } from '../../host/plain-text.ts';
import { readSshService, sshdBytes } from '../../system-image/ssh-service.ts';
import {
  findSshdConfig,
  readSshdConfig,
  type SshdDirective,
  sshdConfigPath,
  sshdValues,
} from '../../system-image/sshd-config.ts';
import type { Check } from '../check.ts';
import { commandEvidence, fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import type { InsideResult, Subject } from '../subject.ts';
import { findSshdProblems, parseSshdComplaints, type SshdComplaint } from './sshd-problems.ts';
import { sshProgramFaults } from './sshd-program.ts';

const noServer = 'The ssh service does not start, and nobody can log in over the network.';

/** Said just before sshd is started: what comes without it is the container's or the shell's. */
const mark = 'rescuekit-sshd';

/** sshd -t, with the directory for privilege separation that the service makes at boot. */
export const sshdTestWords = (program: string): readonly string[] => [
  '/bin/sh',
  '-c',
  `mkdir -p /run/sshd && echo ${mark} >&2 && exec ${program} -t`,
];

/** What was said from the mark on, without it; null when sshd was never started. */
const afterMark = (result: InsideResult): InsideResult | null => {
  const lines = result.stderr.split('\n');
  const at = lines.findIndex((line) => line.trim() === mark);
  return at === -1 ? null : { ...result, stderr: lines.slice(at + 1).join('\n') };
};

/**
 * What is no fault of sshd: keys are a finding of their own, names are not resolved without a
 * network, and /run is made anew at each boot.
 */
const notItsFault =
  /no hostkeys available|bad addr or host|name resolution|Name or service not known|privilege separation directory: \/(?:var\/)?run\//i;

const byProgram = (
  result: InsideResult,
  directives: readonly SshdDirective[],
): readonly SshdComplaint[] => {
  if (result.exitCode === 0 || notItsFault.test(result.stderr)) return [];
  const known = new Set(directives.map(({ path, line }) => `${path}:${line}`));
  return parseSshdComplaints(result.stderr).filter(({ path, line }) =>
    known.has(`${path}:${line}`),
  );
};

const byReading = async (
  subject: Subject,
  program: string,
  directives: readonly SshdDirective[],
): Promise<readonly SshdComplaint[]> => {
  const bytes = await sshdBytes(subject.files, program);
  // All keywords are in the program as strings, so that one of a newer version or of a
  // distribution's patch is never taken for unknown.
  const knows = (keyword: string): boolean =>
    !/^[a-z0-9]+$/.test(keyword) ? false : bytes.includes(`${keyword}\0`, 0, 'latin1');
  const readable = bytes.includes('permitrootlogin\0', 0, 'latin1');
  return findSshdProblems(directives, readable ? knows : () => true).map(
    ({ directive: { path, line }, reason }) => ({ path, line, reason }),
  );
};

type Seen = {
  readonly complaints: readonly SshdComplaint[];
  /** What sshd said; null when the complaints are from reading. */
  readonly result: InsideResult | null;
  /** It stops at something that is no line of its configuration. */
  readonly fails: InsideResult | null;
};

/** A part of the system that is not attached may hold what sshd misses. */
const isWhole = ({ mounts }: Subject): boolean =>
  mounts.every(({ target, state }) => state === 'mount' || !/^\/(?:usr|var|etc)\b/.test(target));

const look = async (
  subject: Subject,
  program: string,
  directives: readonly SshdDirective[],
): Promise<Seen> => {
  const complaints = await byReading(subject, program, directives);
  const inside = await subject.runInside({ words: sshdTestWords(program), timeoutSeconds: 30 });
  const result = inside === null ? null : afterMark(inside);
  if (result === null) return { complaints, result, fails: null };
  const confirmed = byProgram(result, directives);
  if (confirmed.length > 0) return { complaints: confirmed, result, fails: null };
  // A program that has no objection knows better; one that stopped at something else leaves it to
  // what was read.
  if (result.exitCode === 0) return { complaints: [], result: null, fails: null };
  const unexplained =
    complaints.length === 0 && !notItsFault.test(result.stderr) && isWhole(subject);
  return { complaints, result: null, fails: unexplained ? result : null };
};

const lastLine = (text: string): string => lastPlainLines(text, 1)[0]?.slice(0, 160) ?? '';

const failing = (program: string, result: InsideResult, enabled: boolean): Finding => ({
  id: 'access.sshd-fails',
  severity: enabled ? 'critical' : 'info',
  title: `sshd refuses to start: ${lastLine(result.stderr) || `exit status ${result.exitCode}`}`,
  subject: program,
  evidence: [commandEvidence([program, '-t'], `${result.stderr}\nexit status ${result.exitCode}`)],
  meaning: noServer,
  repair: null,
});

const invalid = (
  { path, line, reason }: SshdComplaint,
  directives: readonly SshdDirective[],
  { result, program, enabled }: Pick<Seen, 'result'> & { program: string; enabled: boolean },
): Finding => {
  const text = directives.find((each) => each.path === path && each.line === line)?.text ?? reason;
  return {
    id: 'access.sshd-config-invalid',
    severity: enabled ? 'critical' : 'info',
    title: `sshd refuses line ${line} of ${path}: ${reason}`,
    subject: `${path}:${line}`,
    evidence: [
      fileEvidence(path, line, text),
      ...(result === null ? [] : [commandEvidence([program, '-t'], result.stderr)]),
    ],
    meaning: noServer,
    repair: enabled ? 'access.comment-sshd-line' : null,
  };
};

const missing = (text: string, enabled: boolean, severity: Finding['severity']): Finding => ({
  id: 'access.sshd-config-missing',
  severity: enabled ? severity : 'info',
  title: `The configuration of the ssh server, ${sshdConfigPath}, ${text}`,
  subject: sshdConfigPath,
  evidence: [fileEvidence(sshdConfigPath, null, text)],
  meaning:
    severity === 'critical'
      ? noServer
      : 'The ssh server starts with built-in settings: without PAM, keys of accounts with a locked password are refused.',
  repair: enabled ? 'access.restore-sshd-config' : null,
});

const ports = (directives: readonly SshdDirective[]): readonly Finding[] => {
  const changed = sshdValues(directives, 'port').filter(
    (port) => port !== '22' && Number(port) <= 65_535,
  );
  const at = directives.find((each) => each.keyword === 'port' && !each.inMatch);
  if (changed.length === 0 || at === undefined) return [];
  return [
    {
      id: 'access.sshd-port',
      severity: 'info',
      title: `The ssh server listens on port ${changed.join(', ')}`,
      subject: sshdConfigPath,
      evidence: [fileEvidence(at.path, at.line, at.text)],
      meaning: 'A client must name the port, and firewalls on the way must let it through.',
      repair: null,
    },
  ];
};

/** Asks the system's own `sshd -t`, and reads the configuration where that cannot be run. */
export const sshdConfigCheck: Check = {
  area: 'access',
  finds: [
    'access.sshd-config-invalid',
    'access.sshd-config-missing',
    'access.sshd-fails',
    'access.sshd-port',
  ],
  run: async (subject) => {
    const { program, enabled } = await readSshService(subject.files);
    if (program === null) return [];
    const config = await findSshdConfig(subject.files);
    const status = config === null ? null : await subject.files.status(config);
    if (status === null) return [missing('is missing', enabled, 'critical')];
    if (status.sizeBytes === 0) return [missing('is empty', enabled, 'warning')];
    const directives = await readSshdConfig(subject.files);
    const { complaints, result, fails } = await look(subject, program, directives);
    // A damaged program is told of by the check for it, with what is to be restored.
    const broken = fails === null ? [] : await sshProgramFaults(subject);
    return [
      ...(fails === null || broken.length > 0 ? [] : [failing(program, fails, enabled)]),
      ...complaints.map((each) => invalid(each, directives, { result, program, enabled })),
      ...ports(directives),
    ];
  },
};
