import { sshdTestWords } from '../../diagnosis/access/sshd-config.ts';
import { parseSshdComplaints } from '../../diagnosis/access/sshd-problems.ts';
import { readSshService } from '../../system-image/ssh-service.ts';
import { parseSshdConfig } from '../../system-image/sshd-config.ts';
import { commentUntilAccepted } from '../comment-until-accepted.ts';
import { asComment, placesOf } from '../edit-lines.ts';
import type { Repair } from '../repair.ts';

/** With a `Match` line goes its block: without it the block would be valid for everybody. */
export const sshdBlock = (path: string, text: string, line: number): readonly number[] => {
  const directives = parseSshdConfig(path, text);
  const index = directives.findIndex((each) => each.line === line);
  if (directives[index]?.keyword !== 'match') return [line];
  const rest = directives.slice(index + 1);
  const next = rest.findIndex(({ keyword }) => keyword === 'match');
  return [line, ...(next === -1 ? rest : rest.slice(0, next)).map((each) => each.line)];
};

/** What is missing beside the configuration is not its fault: `no hostkeys available`. */
const testWords = (program: string): readonly string[] => [
  ...sshdTestWords(program).slice(0, 2),
  `mkdir -p /run/sshd; e=$(${program} -t 2>&1) && exit 0; echo "$e"; case $e in *'no hostkeys'*) exit 0;; esac; exit 1`,
];

/** Makes each line that sshd refuses a comment. */
export const commentSshdLine: Repair = {
  id: 'access.comment-sshd-line',
  stage: 'access',
  title: 'Comment the lines that sshd refuses out of its configuration',
  why: 'One line that it does not understand keeps sshd from starting.',
  risk: 'What the line was meant to set falls back to the default.',
  proof: 'container',
  plan: async (subject, findings, { bench }) => {
    const { program } = await readSshService(subject.files);
    const judge = {
      words: testWords(program ?? '/usr/sbin/sshd'),
      complaints: parseSshdComplaints,
      wholeOf: sshdBlock,
      comment: asComment,
      hint: 'Look at the configuration with `sshd -t` in a rescue shell.',
    };
    return commentUntilAccepted(subject, bench, judge, placesOf(findings));
  },
};
