import { parseVisudo, visudoWords } from '../../diagnosis/access/sudoers.ts';
import { sudoersPath } from '../../system-image/sudoers.ts';
import { commentUntilAccepted } from '../comment-until-accepted.ts';
import { placesOf } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const root = { uid: 0, gid: 0 };

/** Owner and mode as the package sets them. */
export const sudoersMode: Repair = {
  id: 'access.sudoers-mode',
  stage: 'access',
  title: "Set owner and mode of sudo's files as sudo asks for",
  why: 'sudo does not trust a file that somebody else than root could write.',
  risk: 'None.',
  proof: 'container',
  plan: async ({ files }, findings) => {
    const changes = await Promise.all(
      findings.map(async ({ subject: path }) => ({
        kind: 'set-attributes' as const,
        path,
        attributes: { mode: (await files.isDirectory(path)) ? 0o750 : 0o440, ...root },
      })),
    );
    return planned(changes);
  },
};

/** `#include` and `#1000` are no comments, so a blank follows the sign. */
const asSudoersComment = (line: string): string => (/^# /.test(line) ? line : `# ${line}`);

/** The line with those that a backslash joins to it. */
export const sudoersBlock = (_: string, text: string, line: number): readonly number[] => {
  const lines = text.split('\n');
  const [block, joined] = [[line], (at: number) => lines[at - 1]?.endsWith('\\') === true];
  for (let at = line; joined(at); at += 1) block.push(at + 1);
  for (let at = line - 1; joined(at); at -= 1) block.unshift(at);
  return block;
};

/** Makes each line that sudo cannot read a comment. */
export const sudoersLine: Repair = {
  id: 'access.sudoers-line',
  stage: 'access',
  title: 'Comment the lines that sudo cannot read out of its configuration',
  why: 'Depending on its version, sudo leaves out the line or refuses everything.',
  risk: 'What the line was meant to allow stays forbidden.',
  proof: 'container',
  plan: (subject, findings, { bench }) => {
    const judge = {
      words: visudoWords,
      complaints: parseVisudo,
      wholeOf: sudoersBlock,
      comment: asSudoersComment,
      hint: 'Edit the file with `visudo` in a rescue shell.',
    };
    return commentUntilAccepted(subject, bench, judge, placesOf(findings));
  },
};

const copies = ['.dpkg-dist', '.ucf-dist', '.dpkg-new', '.rpmnew'].map(
  (suffix) => `${sudoersPath}${suffix}`,
);

/** Puts an untouched copy back when there is one. */
export const restoreSudoers: Repair = {
  id: 'access.restore-sudoers',
  stage: 'access',
  title: "Put the package's own sudoers back",
  why: 'sudo refuses everybody without its configuration.',
  risk: 'Rules of the lost file are lost.',
  proof: 'container',
  plan: async ({ files }) => {
    const texts = await Promise.all(copies.map((path) => files.readForEdit(path)));
    const content = texts.find((text) => text !== null && text !== '');
    if (content === undefined || content === null) {
      return refused(
        'no untouched copy of sudoers is on the disk',
        'Reinstall sudo in a rescue shell with network: apt-get install --reinstall -o Dpkg::Options::=--force-confmiss sudo',
      );
    }
    const attributes = { mode: 0o440, ...root };
    return planned([{ kind: 'write-file', path: sudoersPath, content, attributes }]);
  },
};
