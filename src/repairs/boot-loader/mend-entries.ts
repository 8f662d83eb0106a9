import { posix } from 'node:path';
import type { Change } from '../../changes/change.ts';
import { bootEntriesOf } from '../../diagnosis/kernel/started-kernels.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import type { BootEntry } from '../../system-image/boot-entry.ts';
import type { Kernel } from '../../system-image/system-facts.ts';
import { editLines } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

/** Where the entry's own partition is mounted: `/boot/efi/loader/entries/x.conf` is on `/boot/efi`. */
const partitionOf = (entry: BootEntry): string =>
  entry.path.slice(0, entry.path.lastIndexOf('/loader/entries/'));

const onPartition = (entry: BootEntry, path: string): string | null => {
  const top = partitionOf(entry);
  return path.startsWith(`${top}/`) ? path.slice(top.length) : null;
};

/** The newest kernel with an initramfs that the boot loader can read from the entry's partition. */
const replacement = ({ facts }: Subject, entry: BootEntry): Kernel | null =>
  facts.kernels.find(
    ({ image, initramfs }) =>
      initramfs !== null &&
      onPartition(entry, image) !== null &&
      onPartition(entry, initramfs) !== null,
  ) ?? null;

const edited = (text: string, entry: BootEntry, kernel: Kernel): string => {
  const linux = onPartition(entry, kernel.image) ?? kernel.image;
  const initrd = onPartition(entry, kernel.initramfs ?? '') ?? '';
  const set = (word: string) => (line: string) =>
    line.replace(/^(\s*\S+\s+).*$/, (_, start: string) => `${start}${word}`);
  const edits = new Map([
    [entry.kernelLine, set(linux)],
    ...(entry.initrdLine === null ? [] : [[entry.initrdLine, set(initrd)] as const]),
  ]);
  return editLines(text, edits);
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
          `No other kernel is where ${posix.basename(entry.path)} could start it.`,
          'Install a kernel: rescuekit rescue --network, then the package manager.',
        );
      }
      changes.push({ kind: 'write-file', path: entry.path, content: edited(text, entry, kernel) });
    }
    return planned(changes);
  },
};
