import type { Change } from '../../changes/change.ts';
import { leftOverWords } from '../../diagnosis/boot-loader/command-line.ts';
import { entrySubject } from '../../diagnosis/boot-loader/entry-subject.ts';
import { bootEntriesOf } from '../../diagnosis/kernel/started-kernels.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { settingsEdited, withoutWords, wordPattern } from './command-line-words.ts';
import { grubPlaces } from './grub-places.ts';
import { makeGrubMenu, menuRisk } from './make-menu.ts';

/** What kernel-install puts into the entries of later kernels. */
const installed = '/etc/kernel/cmdline';

const rest = (line: string, words: ReadonlySet<string>): string => {
  const all = line.split(/(\s+)/);
  const taken = all.filter(
    (_, index) => !words.has(all[index] ?? '') && !words.has(all[index - 1] ?? ''),
  );
  return taken.length === all.length ? line : taken.join('').trimEnd();
};

/** The text without these words on the lines that hold a command line. */
const edited = (text: string, isMeant: RegExp, words: ReadonlySet<string>): string =>
  text
    .split('\n')
    .map((line) => (isMeant.test(line) ? rest(line, words) : line))
    .join('\n');

const fileChange = async (
  { files }: Subject,
  path: string,
  isMeant: RegExp,
  words: ReadonlySet<string>,
): Promise<readonly Change[]> => {
  const text = await files.readForEdit(path);
  const content = text === null ? null : edited(text, isMeant, words);
  return content === null || content === text ? [] : [{ kind: 'write-file', path, content }];
};

export const clearCommandLine: Repair = {
  id: 'boot-loader.clear-command-line',
  stage: 'boot-loader',
  title: "Take the words that were left there out of the kernel's command line",
  why: 'They lead each start into a shell or rescue mode, or name what is not there.',
  risk: `all other words stay in the settings and in entries with files of their own. Otherwise ${menuRisk}`,
  proof: 'vm',
  plan: async (subject, findings, tools) => {
    const meant = new Set(findings.map((finding) => finding.subject));
    const ids = new Set(findings.map(({ id }) => id));
    const entries = (await bootEntriesOf(subject)).filter((entry) =>
      meant.has(entrySubject(entry)),
    );
    const found = await Promise.all(entries.map((entry) => leftOverWords(subject, entry, ids)));
    const words = new Set(found.flatMap((one) => [...one]));
    if (words.size === 0) {
      return refused('The entry with these words is not there any more.', 'Diagnose again.');
    }
    const own = entries.filter(({ path }) => !path.endsWith('grub.cfg'));
    const changes = [
      ...(await settingsEdited(subject.files, withoutWords([...words].map(wordPattern)))),
      ...(await fileChange(subject, installed, /^\s*[^#\s]/, words)),
      ...(
        await Promise.all(own.map(({ path }) => fileChange(subject, path, /^\s*options\s/, words)))
      ).flat(),
    ];
    if (own.length === entries.length) return planned(changes);
    return grubPlaces(subject) === null
      ? refused(
          'The menu cannot be made anew here, and its words would come back with the next update.',
          'Take them out of /etc/default/grub in rescuekit rescue and run update-grub there.',
        )
      : makeGrubMenu(subject, tools, changes);
  },
};
