import type { SshdDirective } from '../../system-image/sshd-config.ts';

export type SshdProblem = { readonly directive: SshdDirective; readonly reason: string };

const yesNo = [
  'passwordauthentication',
  'pubkeyauthentication',
  'usepam',
  'strictmodes',
  'permitemptypasswords',
  'printmotd',
  'printlastlog',
  'usedns',
  'challengeresponseauthentication',
  'kbdinteractiveauthentication',
  'ignorerhosts',
  'x11forwarding',
  'x11uselocalhost',
  'permittty',
];

/** What these keywords take, in every version of OpenSSH. Words, in lower case. */
const values: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...yesNo.map((keyword): [string, string[]] => [keyword, ['yes', 'no', 'true', 'false']]),
  [
    'permitrootlogin',
    ['yes', 'no', 'true', 'false', 'prohibit-password', 'without-password', 'forced-commands-only'],
  ],
  ['addressfamily', ['any', 'inet', 'inet6']],
]);

/** Not allowed after a `Match` line, in every version of OpenSSH. */
const globalOnly: ReadonlySet<string> = new Set([
  'port',
  'listenaddress',
  'hostkey',
  'addressfamily',
  'usepam',
  'usedns',
  'strictmodes',
  'printmotd',
  'printlastlog',
  'tcpkeepalive',
  'pidfile',
  'maxstartups',
  'logingracetime',
  'ciphers',
  'macs',
  'kexalgorithms',
  'permituserenvironment',
  'compression',
]);

const criteria: ReadonlySet<string> = new Set([
  ...['all', 'user', 'group', 'host', 'localaddress', 'localport', 'rdomain', 'address'],
  ...['final', 'canonical', 'invalid-user', 'version', 'sessiontype', 'command'],
]);

/** Port is a number from 1, or the name of a service. */
const isPort = (word: string): boolean =>
  /^\d+$/.test(word) ? Number(word) >= 1 && Number(word) <= 65535 : /^[a-z][a-z0-9-]*$/i.test(word);

const matchReason = (words: readonly string[]): string | null => {
  const first = words[0]?.split(/[= ]/)[0]?.toLowerCase() ?? '';
  return criteria.has(first) ? null : `Match does not know the condition "${first}"`;
};

const valueReason = ({ keyword, words }: SshdDirective): string | null => {
  const word = words[0]?.toLowerCase() ?? '';
  const allowed = values.get(keyword);
  if (allowed !== undefined && !allowed.includes(word)) {
    return `${keyword} takes one of ${allowed.filter((each) => !/true|false/.test(each)).join(', ')}`;
  }
  if (keyword === 'port' && !isPort(word)) return 'Port takes a number from 1 to 65535';
  if (keyword === 'subsystem' && words.length < 2) return 'Subsystem takes a name and a command';
  return keyword === 'match' ? matchReason(words) : null;
};

const reasonOf = (directive: SshdDirective, knows: (keyword: string) => boolean): string | null => {
  const { keyword, words, inMatch, openQuote } = directive;
  if (!knows(keyword)) return `sshd does not know the keyword "${keyword}"`;
  if (openQuote) return 'a quotation mark is open at the end of the line';
  if (words.length === 0) return `${keyword} has no value`;
  if (inMatch && globalOnly.has(keyword)) return `${keyword} is not allowed after a Match line`;
  return valueReason(directive);
};

/**
 * Lines for which sshd refuses to start, as far as they are the same in every version: what is
 * doubtful is left out.
 *
 * @param knows whether the sshd of the system has that keyword, in lower case.
 */
export const findSshdProblems = (
  directives: readonly SshdDirective[],
  knows: (keyword: string) => boolean,
): readonly SshdProblem[] =>
  directives.flatMap((directive) => {
    const reason = reasonOf(directive, knows);
    return reason === null ? [] : [{ directive, reason }];
  });

export type SshdComplaint = {
  readonly path: string;
  readonly line: number;
  readonly reason: string;
};

// `/etc/ssh/sshd_config: line 5: Bad configuration option: Foo`, and for most others
// `/etc/ssh/sshd_config line 5: unsupported option "maybe".`
const complaint = /^(\/[^:\s]+):? line (\d+): (.+)$/;

/** The places that `sshd -t` names on standard error; what is only deprecated is none. */
export const parseSshdComplaints = (stderr: string): readonly SshdComplaint[] =>
  stderr.split(/\r?\n/).flatMap((text) => {
    const [, path, line, reason] = complaint.exec(text) ?? [];
    if (path === undefined || line === undefined || reason === undefined) return [];
    if (/^(?:deprecated|unsupported option \S+$)/i.test(reason)) return [];
    return [{ path, line: Number(line), reason }];
  });
