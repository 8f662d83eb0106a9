import type { Change } from '../../changes/change.ts';
import { entrySubject } from '../../diagnosis/boot-loader/entry-subject.ts';
import { lostSubvolume } from '../../diagnosis/boot-loader/root-flags.ts';
import { bootDevice } from '../../diagnosis/boot-loader/start-place.ts';
import { rootArgument } from '../../diagnosis/kernel/initramfs-need.ts';
import { bootEntriesOf } from '../../diagnosis/kernel/started-kernels.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import type { BootEntry } from '../../system-image/boot-entry.ts';
import { editLines } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { settingsEdited, withoutWords, wordPattern } from './command-line-words.ts';
import { grubPlaces } from './grub-places.ts';
import { makeGrubMenu, menuRisk } from './make-menu.ts';

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

/**
 * The entries that are meant, with those of the same menu that start this system with the same wrong
 * root. What os-prober found is another system's, and has its kernels elsewhere.
 */
const ownEntries = async (
  subject: Subject,
  meant: readonly BootEntry[],
): Promise<readonly BootEntry[]> => {
  const { devices } = subject;
  const boot = devices === null ? null : bootDevice(subject, devices).uuid;
  const isElsewhere = ({ places, kernelPath }: BootEntry): boolean =>
    kernelPath === null || places.some(({ by, value }) => by === 'uuid' && value !== boot);
  return (await bootEntriesOf(subject)).filter(
    (entry) =>
      meant.includes(entry) ||
      (!isElsewhere(entry) &&
        meant.some(
          ({ path, options }) =>
            path === entry.path && rootArgument(options) === rootArgument(entry.options),
        )),
  );
};

/** The lines of an entry that hold a command line: one of a menu, or those of a file of its own. */
const linesOf =
  (text: string) =>
  ({ path, kernelLine }: BootEntry): readonly number[] =>
    path.endsWith('grub.cfg')
      ? [kernelLine]
      : text
          .split('\n')
          .flatMap((line, index) => (/^\s*(?:options|linux\w*)\s/.test(line) ? [index + 1] : []));

export const setRoot: Repair = {
  id: 'boot-loader.set-root',
  stage: 'boot-loader',
  title: 'Tell the kernel the right root',
  why: 'The command line in the boot loader names a root that is not there.',
  risk: `in entries with files of their own only the words that name the root change. Otherwise ${menuRisk}`,
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
    const alike = await ownEntries(subject, entries);
    const options = lost.filter((option) => option !== null);
    const changes: Change[] = [];
    for (const path of new Set(entries.map((entry) => entry.path))) {
      const text = (await subject.files.readForEdit(path)) ?? '';
      const edit = (line: string) =>
        options.reduce(
          (edited, option) => withFlags(edited, option, subject),
          line.replace(/(\s)root=\S+/, `$1root=${name}`),
        );
      const numbers = alike.filter((entry) => entry.path === path).flatMap(linesOf(text));
      const content = editLines(text, new Map(numbers.map((number) => [number, edit])));
      changes.push({ kind: 'write-file', path, content });
    }
    return planned(changes);
  },
};
