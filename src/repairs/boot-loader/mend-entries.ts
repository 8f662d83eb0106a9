import type { Change } from '../../changes/change.ts';
import { entrySubject } from '../../diagnosis/boot-loader/entry-subject.ts';
import { bootEntriesOf } from '../../diagnosis/kernel/started-kernels.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import type { BootEntry } from '../../system-image/boot-entry.ts';
import { editLines } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';
import { fatesOf, mainInitramfs, withInitramfs, wordFor } from './entry-words.ts';

/** Kernel and initramfs as the entry has to name them, and where the initramfs is. */
type Replacement = { readonly linux: string; readonly initrd: string; readonly path: string };

/** The newest kernel with an initramfs that the boot loader can read from the entry's partition. */
const replacement = ({ facts }: Subject, entry: BootEntry): Replacement | null => {
  const found = facts.kernels.flatMap(({ image, initramfs }) => {
    const linux = wordFor(entry, image);
    if (initramfs === null || linux === null) return [];
    const initrd = wordFor(entry, initramfs);
    return initrd === null ? [] : [{ linux, initrd, path: initramfs }];
  });
  return found[0] ?? null;
};

/** Where the initramfs of the kernel that is gone still is. */
const oldInitramfs = ({ initrds, initrdPaths }: BootEntry): string | null =>
  initrdPaths[initrds.indexOf(mainInitramfs(initrds) ?? '')] ?? null;

const edited = (text: string, entry: BootEntry, { linux, initrd, path }: Replacement): string => {
  const setKernel = (line: string) =>
    line.replace(/^(\s*\S+\s+).*$/, (_, start: string) => `${start}${linux}`);
  return withInitramfs(
    editLines(text, new Map([[entry.kernelLine, setKernel]])),
    initrd,
    entry.kernelLine,
    fatesOf(entry, [oldInitramfs(entry), path]),
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
    const entries = (await bootEntriesOf(subject)).filter((entry) =>
      broken.has(entrySubject(entry)),
    );
    const changes: Change[] = [];
    for (const entry of entries) {
      const kernel = replacement(subject, entry);
      const text = await subject.files.readForEdit(entry.path);
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
