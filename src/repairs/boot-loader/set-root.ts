import type { Change } from '../../changes/change.ts';
import { lostSubvolume } from '../../diagnosis/boot-loader/root-flags.ts';
import { bootEntriesOf } from '../../diagnosis/kernel/started-kernels.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { editLines } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { settingsWithout, wordPattern } from './command-line-words.ts';
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
  return line.replace(lost, own === '' ? 'subvolid=5' : `subvol=${own}`);
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
    const entries = (await bootEntriesOf(subject)).filter(({ path, id, title }) =>
      broken.has(`${path} ${id ?? title}`),
    );
    if (name === null || entries.length === 0) {
      return refused('The root has no UUID by which it could be named.', 'Give it one first.');
    }
    const lost = await Promise.all(entries.map(({ options }) => lostSubvolume(subject, options)));
    const inMenu = entries.filter(({ path }) => path.endsWith('grub.cfg'));
    if (inMenu.length > 0 && grubPlaces(subject) !== null) {
      const flags = lost.flatMap((option) => option ?? []).map(flagsWord);
      const settings = await settingsWithout(subject.files, [rootWord, ...flags]);
      return makeGrubMenu(subject, tools, settings);
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
