import { plainText } from '../../host/plain-text.ts';
import type { BootEntry } from '../../system-image/boot-entry.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { bootIsHidden, hasNoKernel } from '../kernel/none.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
import type { Subject, SubjectDevices } from '../subject.ts';
import { entrySubject } from './entry-subject.ts';
import { bootDevice, hasUuid, wrongPlace } from './start-place.ts';
import { isForeignMenu } from './word-place.ts';

const repairOf = ({ loader, path }: BootEntry): string | null => {
  if (loader !== 'grub' || !path.endsWith('grub.cfg')) return 'boot-loader.mend-entries';
  return isForeignMenu(path) ? null : 'boot-loader.write-config';
};

const kernelMissing = (entry: BootEntry): Finding => ({
  id: 'boot-loader.entry-kernel',
  severity: entry.isDefault ? 'critical' : 'info',
  title: `The entry "${plainText(entry.title)}" starts ${plainText(entry.kernel)}, which is not there.`,
  subject: entrySubject(entry),
  evidence: [fileEvidence(entry.path, entry.kernelLine, `kernel ${entry.kernel}`)],
  meaning: entry.isDefault
    ? 'The boot loader says "file not found" and goes no further by itself.'
    : 'Only somebody who chooses this entry is stopped by it.',
  repair: entry.isDefault ? repairOf(entry) : null,
});

/**
 * The places of an entry where `/boot` is not. `set root` before a search is what counts when the
 * search fails.
 */
const placeProblem = (
  subject: Subject,
  devices: SubjectDevices,
  entry: BootEntry,
): { readonly line: number; readonly text: string } | null => {
  const searches = entry.places.filter(({ by }) => by === 'uuid');
  const lost = searches.find(({ value }) => !hasUuid(devices, value));
  if (lost === undefined || searches.some(({ value }) => hasUuid(devices, value))) return null;
  const hint = entry.places.find(({ by }) => by === 'device');
  // The number of the disk depends on the machine, so a hint is right only when it is the first one.
  const hintIsRight =
    hint !== undefined &&
    /^hd0,/.test(hint.value) &&
    wrongPlace(subject, devices, hint.value) === null;
  return hintIsRight ? null : { line: lost.line, text: lost.value };
};

const placeMissing = (subject: Subject, entry: BootEntry): readonly Finding[] => {
  const { devices } = subject;
  const problem = devices === null ? null : placeProblem(subject, devices, entry);
  if (problem === null) return [];
  return [
    {
      id: 'boot-loader.entry-place',
      severity: entry.isDefault ? 'critical' : 'info',
      title: `The entry "${plainText(entry.title)}" looks for its kernel on the file system ${plainText(problem.text)}, which is not there.`,
      subject: entrySubject(entry),
      evidence: [fileEvidence(entry.path, problem.line, `search for ${problem.text}`)],
      meaning: 'GRUB says "no such device" and "you need to load the kernel first".',
      repair: entry.isDefault ? repairOf(entry) : null,
    },
  ];
};

const findingsOf = (subject: Subject, entry: BootEntry): readonly Finding[] => {
  if (entry.kernelPath !== null) return placeMissing(subject, entry);
  const { devices } = subject;
  const own = devices === null ? null : bootDevice(subject, devices).uuid;
  // os-prober writes entries of other systems, whose kernels are not here.
  const isElsewhere =
    own !== null && entry.places.some(({ by, value }) => by === 'uuid' && value !== own);
  return isElsewhere && !entry.isDefault ? [] : [kernelMissing(entry)];
};

/** Does what the boot loaders start exist? */
export const entriesCheck: Check = {
  area: 'boot-loader',
  finds: ['boot-loader.entry-kernel', 'boot-loader.entry-place'],
  run: async (subject) => {
    // That there is no kernel at all is said once, and not of each entry.
    if (bootIsHidden(subject) || (await hasNoKernel(subject))) return [];
    const entries = await bootEntriesOf(subject);
    const found = entries.flatMap((entry) => findingsOf(subject, entry));
    const loaders = new Set(entries.map(({ loader }) => loader));
    const brokenLoaders = new Set(
      entries
        .filter((entry) => entry.isDefault && findingsOf(subject, entry).length > 0)
        .map(({ loader }) => loader),
    );
    // What is left of another boot loader does not stop the one that is in use.
    const severe = brokenLoaders.size === loaders.size;
    return found.map((finding) =>
      finding.severity === 'critical' && !severe
        ? { ...finding, severity: 'info' as const }
        : finding,
    );
  },
};
