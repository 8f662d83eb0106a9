import { defaultsPath, shellProblem } from '../../diagnosis/boot-loader/default-grub.ts';
import { asComment, editLines } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const count = (text: string, character: string): number => text.split(character).length - 1;

/** An assignment whose value has one quotation mark: the other one was forgotten. */
const closed = (line: string): string | null => {
  const start = line.trimEnd();
  const end = line.slice(start.length);
  if (!/^\s*(?:export\s+)?[A-Za-z_]\w*=/.test(start)) return null;
  const value = start.slice(start.indexOf('=') + 1);
  for (const quote of ['"', "'"]) {
    const other = quote === '"' ? "'" : '"';
    if (count(value, quote) !== 1 || value.includes(other)) continue;
    if (value.startsWith(quote)) return `${start}${quote}${end}`;
    if (value.endsWith(quote)) return `${start.replace('=', `=${quote}`)}${end}`;
  }
  return null;
};

/** Each candidate is a whole text of its own. */
const mostBytes = 1024 * 1024;

/** More lines than these were not written by hand. */
const maxCandidates = 50;

/** Texts with one line changed that could be meant. */
const candidates = (text: string, change: (line: string) => string | null): readonly string[] =>
  text
    .split('\n')
    .flatMap((line, index) => {
      const edited = change(line.replace(/\r$/, ''));
      return edited === null || edited === line ? [] : [{ number: index + 1, edited }];
    })
    .slice(0, maxCandidates)
    // Each of them is a whole text of its own.
    .map(({ number, edited }) => editLines(text, new Map([[number, () => edited]])));

/** A line that is no assignment, comment or blank is nothing that grub-mkconfig reads. */
const commented = (line: string): string | null =>
  /^\s*(?:#|$|(?:export\s+)?[A-Za-z_]\w*=|\.\s|source\s|if\b|then\b|else\b|fi\b|case\b|esac\b)/.test(
    line,
  )
    ? null
    : asComment(line);

export const mendDefaults: Repair = {
  id: 'boot-loader.mend-defaults',
  stage: 'boot-loader',
  title: `Mend the one line that breaks ${defaultsPath}`,
  why: 'grub-mkconfig sources the file, and the shell cannot read it.',
  risk: 'none: the line means afterwards what it says, or nothing',
  proof: 'none',
  plan: async ({ host, files }) => {
    const text = await files.readForEdit(defaultsPath, mostBytes);
    if (text === null) return refused(`${defaultsPath} is not there.`, 'Nothing has to be done.');
    for (const change of [closed, commented]) {
      const good: string[] = [];
      for (const candidate of candidates(text, change)) {
        if ((await shellProblem(host, candidate)) === null) good.push(candidate);
      }
      const [only, ...others] = good;
      // The first change after which the shell reads it must be the only one that can be meant.
      if (only !== undefined && others.length === 0) {
        return planned([{ kind: 'write-file', path: defaultsPath, content: only }]);
      }
    }
    return refused(
      'It cannot be told which line is the wrong one.',
      `Edit ${defaultsPath} by hand; sh -n ${defaultsPath} names the place.`,
    );
  },
};
