import type { Change } from '../../changes/change.ts';
import { entrySubject } from '../../diagnosis/boot-loader/entry-subject.ts';
import { lostSubvolume } from '../../diagnosis/boot-loader/root-flags.ts';
import { bootEntriesOf } from '../../diagnosis/kernel/started-kernels.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { editLines } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { settingsEdited, withoutWords, wordPattern } from './command-line-words.ts';
import { grubPlaces } from './grub-places.ts';
import { makeGrubMenu } from './make-menu.ts';

/** What the kernel is to be told: the name of a volume stays the same, a partition has a UUID. */
const rootName = ({ devices }: Subject): string | null => {
  if (devices === null) return null;
  const { root, volumes } = devices;
  const mapped = root.aliases.find((alias) => alias.startsWith('/dev/mapper/'));
  if ((root.kind === 'lvm' || root.kind === 'luks') && mapped !== undefined) return mapped;
  const uuid = volumes.find(({ shownOn }) => shownOn.includes(root.path ?? ''))?.fsid ?? root.uuid;
  return uuid === null ? null : `UUID=${uuid}`;
};

/** grub-mkconfig puts the right ones in by itself: the root, and the subvolume of a btrfs. */
const rootWord = 'root=[^\\s"\']+';
const flagsWord = (option: string): string => `rootflags=${wordPattern(option)}`;

/** A line with the subvolume in which the root was found in place of one that is not there. */
const withFlags = (line: string, lost: string | null, { devices }: Subject): string => {
  if (lost === null) return line;
  const own = (devices?.subvolume ?? '').replace(/^\/+/, '');
  // Number 5 is the top of each btrfs.
  const found = own === '' ? 'subvolid=5' : `subvol=${own}`;
  return line.replace(/(?<=^|[\s"'])rootflags=[^\s"']*/g, (word) => {
    const options = word.slice('rootflags='.length).split(',');
    return `rootflags=${options.map((one) => (one === lost ? found : one)).join(',')}`;
  });
};

/**
 * The settings without the root, and with its subvolume among other options: the kernel goes by the
 * last `rootflags=`, which would hide the one that grub-mkconfig puts in.
 */
const mendedSettings = (
  subject: Subject,
  lost: readonly (string | null)[],
): Promise<readonly Change[]> => {
  const options = lost.flatMap((option) => option ?? []);
  const without = withoutWords([rootWord, ...options.map(flagsWord)]);
  // A shell reads the settings: no other name of a subvolume is put into them.
  const isPlain = /^[\w@.+:/-]*$/.test(subject.devices?.subvolume ?? '');
  return settingsEdited(subject.files, (words) =>
    (isPlain ? options : []).reduce(
      (text, option) => withFlags(text, option, subject),
      without(words),
    ),
  );
};

export const setRoot: Repair = {
  id: 'boot-loader.set-root',
  stage: 'boot-loader',
  title: 'Tell the kernel the right root',
  why: 'The command line in the boot loader names a root that is not there.',
  risk: 'none: only the words that name the root change',
  proof: 'vm',
  plan: async (subject, findings, tools) => {
    const name = rootName(subject);
    const broken = new Set(findings.map((finding) => finding.subject));
    const entries = (await bootEntriesOf(subject)).filter((entry) =>
      broken.has(entrySubject(entry)),
    );
    if (name === null || entries.length === 0) {
      return refused('The root has no UUID by which it could be named.', 'Give it one first.');
    }
    const lost = await Promise.all(entries.map(({ options }) => lostSubvolume(subject, options)));
    const inMenu = entries.filter(({ path }) => path.endsWith('grub.cfg'));
    if (inMenu.length > 0 && grubPlaces(subject) !== null) {
      return makeGrubMenu(subject, tools, await mendedSettings(subject, lost));
    }
    const changes: Change[] = [];
    for (const [index, { path }] of entries.entries()) {
      const text = (await subject.files.read(path)) ?? '';
      const option = lost[index] ?? null;
      const edit = (line: string) =>
        /^\s*(?:options|linux\w*)\s/.test(line)
          ? withFlags(line.replace(/(\s)root=\S+/, `$1root=${name}`), option, subject)
          : line;
      const edits = new Map(text.split('\n').map((_, index) => [index + 1, edit] as const));
      changes.push({ kind: 'write-file', path, content: editLines(text, edits) });
    }
    return planned(changes);
  },
};
