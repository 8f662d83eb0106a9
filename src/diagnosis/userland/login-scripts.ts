import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

/** What root's shell reads when somebody logs in. */
const scripts = [
  '/etc/profile',
  '/etc/bash.bashrc',
  '/root/.profile',
  '/root/.bash_profile',
  '/root/.bash_login',
  '/root/.bashrc',
] as const;

const opens = /^\s*(?:if|case|for|while|until|select)\b|\(\)\s*\{?\s*$|\{\s*$/;
const closes = /^\s*(?:fi|esac|done|\})/;
const ends = /^(?:exit(?:\s+\d+)?|logout|exec\s+\/\S*(?:false|true|nologin))\s*;?\s*(?:#.*)?$/;

/** The first line that certainly ends the shell: outside of every block, and with no condition. */
export const endingLine = (
  text: string,
): { readonly line: number; readonly text: string } | null => {
  let depth = 0;
  for (const [index, line] of text.split('\n').slice(0, 2000).entries()) {
    // Blocks that begin and end in one line cancel each other out.
    if (opens.test(line) && !/(?:;\s*(?:fi|done|esac|\}))\s*$/.test(line)) depth += 1;
    if (closes.test(line)) depth = Math.max(0, depth - 1);
    if (depth === 0 && ends.test(line)) return { line: index + 1, text: line };
  }
  return null;
};

const look = async ({ files }: Subject, path: string): Promise<readonly Finding[]> => {
  const found = endingLine((await files.read(path, 256 * 1024)) ?? '');
  if (found === null) return [];
  return [
    {
      id: 'userland.login-script-exits',
      severity: 'info',
      title: `${path} ends the shell of everybody who reads it`,
      subject: `${path}:${found.line}`,
      evidence: [atFile(path, found.text, found.line)],
      meaning: 'Whose shell reads the file is logged out at once.',
      repair: null,
    },
  ];
};

/** Start-up files of shells that log people out again. */
export const loginScriptsCheck: Check = {
  area: 'userland',
  finds: ['userland.login-script-exits'],
  run: async (subject) => (await Promise.all(scripts.map((path) => look(subject, path)))).flat(),
};
