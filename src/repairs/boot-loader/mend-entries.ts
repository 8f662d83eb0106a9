import type { Change } from '../../changes/change.ts';
import { bootEntriesOf } from '../../diagnosis/kernel/started-kernels.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import type { BootEntry } from '../../system-image/boot-entry.ts';
import { editLines } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { keptMicrocode, withInitramfs, wordFor } from './entry-words.ts';

/** Kernel and initramfs as the entry has to name them. */
type Replacement = { readonly linux: string; readonly initrd: string };

/** The newest kernel with an initramfs that the boot loader can read from the entry's partition. */
const replacement = ({ facts }: Subject, entry: BootEntry): Replacement | null => {
  const found = facts.kernels.flatMap(({ image, initramfs }) => {
    const linux = wordFor(entry, image);
    const initrd = initramfs === null ? null : wordFor(entry, initramfs);
    return linux === null || initrd === null ? [] : [{ linux, initrd }];
  });
  return found[0] ?? null;
};

const edited = (text: string, entry: BootEntry, { linux, initrd }: Replacement): string => {
  const setKernel = (line: string) =>
    line.replace(/^(\s*\S+\s+).*$/, (_, start: string) => `${start}${linux}`);
  return withInitramfs(
    editLines(text, new Map([[entry.kernelLine, setKernel]])),
    initrd,
    entry.kernelLine,
    keptMicrocode(entry),
  );
};

export const mendEntries: Repair = {
  id: 'boot-loader.mend-entries',
  stage: 'boot-loader',
  title: 'Let the entry of the boot loader start a kernel that is there',
  why: 'The entry that is started names a kernel that is not there.',
  risk: 'none: the entry starts nothing as it is',
  proof: 'vm',
  plan: async (subject, findings) => {
    const broken = new Set(findings.map((finding) => finding.subject));
    const entries = (await bootEntriesOf(subject)).filter(({ path, id, title }) =>
      broken.has(`${path} ${id ?? title}`),
    );
    const changes: Change[] = [];
    for (const entry of entries) {
      const kernel = replacement(subject, entry);
      const text = await subject.files.read(entry.path, 64 * 1024);
      if (kernel === null || text === null) {
        return refused(
          `No other kernel is where ${entry.path.split('/').at(-1) ?? entry.path} could start it.`,
          'Install a kernel: rescuekit rescue --network, then the package manager.',
        );
      }
      changes.push({ kind: 'write-file', path: entry.path, content: edited(text, entry, kernel) });
    }
    return planned(changes);
  },
};
