import { plainText } from '../../host/plain-text.ts';
import type { BootEntry } from '../../system-image/boot-entry.ts';
import { programInside } from '../../system-image/init.ts';
import { resolveSpec } from '../../system-image/resolve-spec.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
import type { Subject } from '../subject.ts';
import { entrySubject } from './entry-subject.ts';
import { canBeEdited, wordEvidence } from './word-place.ts';

const repair = 'boot-loader.clear-command-line';

/** A shell that somebody had the kernel start in place of init, to get in. */
export const isShell = (path: string): boolean =>
  /^(?:\/usr)?\/s?bin\/(?:ba|da|a|k|z|c)?sh$|^(?:\/usr)?\/bin\/(?:busybox|sulogin)$/.test(path);

/** Words of systemd (kernel-command-line(7)), sysvinit, dracut and initramfs-tools (7). */
const rescuePatterns: readonly RegExp[] = [
  /^(?:single|[sS1]|-[sb]|rescue|emergency)$/,
  /^(?:rd\.)?systemd\.unit=(?:rescue|emergency)\.(?:target|service)$/,
  /^(?:rd\.break|break)(?:=|$)/,
];

const isRescueWord = (word: string): boolean =>
  rescuePatterns.some((pattern) => pattern.test(word)) ||
  isShell(/^(?:rd)?init=(.*)$/.exec(word)?.[1] ?? '');

/** A word that stops the boot, or leads it elsewhere, or what merely takes something from it. */
type Found = {
  readonly words: readonly string[];
  readonly kind: 'rescue' | 'init' | 'mask' | 'resume';
};

const initPath = (options: string): string | null =>
  options
    .split(/\s+/)
    .findLast((word) => word.startsWith('init='))
    ?.slice('init='.length) ?? null;

/** An `init=` with nothing behind it; what may be hidden behind a missing directory is not judged. */
const lostInit = async (
  { facts, host, root }: Subject,
  options: string,
): Promise<readonly string[]> => {
  const path = initPath(options);
  if (path?.startsWith('/') !== true || isShell(path)) return [];
  if (facts.os.id === 'nixos' || facts.missing.length > 0) return [];
  return (await programInside(host.files, root, path)) === null ? [`init=${path}`] : [];
};

/** Whether no attached device answers to a name that does not depend on the bus. */
const isLost = ({ devices, facts }: Subject, spec: string): boolean => {
  if (devices === null || !/^(?:PART)?(?:UUID|LABEL)=./.test(spec)) return false;
  const resolution = resolveSpec(
    { spec, fsType: 'swap', options: [] },
    {
      ...{ devices: [devices.disk, ...devices.disks], rootDisk: devices.disk },
      ...{ crypttab: facts.crypttab, arrays: facts.arrays, volumes: devices.volumes },
    },
  );
  return resolution.kind === 'missing' && !resolution.reason.includes('not open yet');
};

const resumeOf = (word: string): string => /^resume=(.*)$/.exec(word)?.[1] ?? '';

const leftOver = async (subject: Subject, { options }: BootEntry): Promise<readonly Found[]> => {
  const words = options.split(/\s+/).filter(Boolean);
  const found: readonly Found[] = [
    { kind: 'rescue', words: words.filter(isRescueWord) },
    { kind: 'init', words: await lostInit(subject, options) },
    { kind: 'mask', words: words.filter((word) => /^(?:rd\.)?systemd\.mask=/.test(word)) },
    { kind: 'resume', words: words.filter((word) => isLost(subject, resumeOf(word))) },
  ];
  return found.filter((one) => one.words.length > 0);
};

const meanings: Readonly<Record<Found['kind'], string>> = {
  rescue:
    'Each start ends in a shell or in rescue mode, where nobody can log in over the network, until the word is gone.',
  init: 'An initramfs starts /sbin/init in its place and says so; a kernel without one panics: "Requested init … failed".',
  mask: 'The unit is not started, as if it were masked. It may be meant so.',
  resume:
    'The initramfs waits for the device for half a minute at each start, and then goes on without it.',
};

const titles: Readonly<Record<Found['kind'], string>> = {
  rescue: 'which is for a rescue and was left there',
  init: 'and there is no such program',
  mask: 'which keeps a unit from starting',
  resume: 'and there is no such device',
};

/** Without an initramfs there is nobody to look for another init (kernel: init/main.c). */
const severityOf = ({ kind }: Found, { initrds }: BootEntry): Finding['severity'] => {
  if (kind === 'mask' || kind === 'resume') return 'info';
  return kind === 'init' && initrds.length === 0 ? 'critical' : 'warning';
};

const finding = (entry: BootEntry, found: Found): Finding => {
  const words = plainText(found.words.join(' '));
  return {
    id: `boot-loader.${found.kind === 'init' ? 'init-argument' : `${found.kind}-words`}`,
    severity: severityOf(found, entry),
    title: `The kernel is told ${words}, ${titles[found.kind]}.`,
    subject: entrySubject(entry),
    evidence: [wordEvidence(entry, found.words, words)],
    meaning: meanings[found.kind],
    repair: canBeEdited(entry, found.words) ? repair : null,
  };
};

/** Written by Debian's installer; update-initramfs puts it into the initramfs. */
const resumePath = '/etc/initramfs-tools/conf.d/resume';

const resumeSetting = async (subject: Subject): Promise<readonly Finding[]> => {
  const lines = ((await subject.files.read(resumePath, 4096)) ?? '').split('\n');
  const at = lines.findLastIndex((line) => /^\s*RESUME=/.test(line));
  const spec = /^\s*RESUME=["']?([^"'\s]*)/.exec(lines[at] ?? '')?.[1] ?? '';
  if (!isLost(subject, spec)) return [];
  return [
    {
      ...{ id: 'boot-loader.resume-words', severity: 'info', subject: resumePath },
      title: `${resumePath} names ${plainText(spec)}, ${titles.resume}.`,
      evidence: [fileEvidence(resumePath, at + 1, `RESUME=${spec}`)],
      meaning: meanings.resume,
      // The initramfs has it inside and would have to be made anew for this alone.
      repair: null,
    },
  ];
};

/** The words of an entry's command line that keep the system from starting as it should. */
export const leftOverWords = async (
  subject: Subject,
  entry: BootEntry,
  ids: ReadonlySet<string>,
): Promise<ReadonlySet<string>> =>
  new Set(
    (await leftOver(subject, entry))
      .filter((found) => ids.has(finding(entry, found).id))
      .flatMap(({ words }) => words),
  );

/** Are there words left on the command line that somebody typed for a rescue, or that lead nowhere? */
export const commandLineCheck: Check = {
  area: 'boot-loader',
  finds: [
    'boot-loader.rescue-words',
    'boot-loader.init-argument',
    'boot-loader.mask-words',
    'boot-loader.resume-words',
  ],
  run: async (subject) => {
    const entries = (await bootEntriesOf(subject)).filter(({ isDefault }) => isDefault);
    const found = await Promise.all(
      entries.map(async (entry) =>
        (await leftOver(subject, entry)).map((one) => finding(entry, one)),
      ),
    );
    return [...found.flat(), ...(await resumeSetting(subject))];
  },
};
