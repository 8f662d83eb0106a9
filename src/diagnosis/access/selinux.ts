import type { SystemFiles } from '../../system-image/system-files.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
import type { Subject } from '../subject.ts';

export const selinuxConfig = '/etc/selinux/config';

/**
 * Distributions whose kernels have SELinux on unless the command line says no. SUSE's have AppArmor
 * by themselves: where they are to run SELinux, their command line says `security=selinux`.
 */
const onByDefault = /^(?:fedora|rhel|centos|rocky|almalinux|ol|amzn|scientific)/;

/** What new boot entries get. It may have been left behind when the entries were edited. */
const settings = [
  '/etc/default/grub',
  '/boot/grub/grub.cfg',
  '/boot/grub2/grub.cfg',
  '/etc/kernel/cmdline',
];

const lastValue = (text: string, name: string): string | undefined =>
  [...text.matchAll(new RegExp(`(?:^|[\\s"'])${name}=([^\\s"']+)`, 'g'))].at(-1)?.[1];

/**
 * Whether words for the kernel turn SELinux on or off; null when they say nothing of it. `lsm=` is the
 * list of all security modules and counts before `security=`, which names one.
 */
export const selinuxWord = (text: string): 'on' | 'off' | null => {
  if (/\bselinux=0\b|\benforcing=0\b/.test(text)) return 'off';
  const modules = lastValue(text, 'lsm') ?? lastValue(text, 'security');
  if (modules !== undefined) return modules.split(',').includes('selinux') ? 'on' : 'off';
  return /\bselinux=1\b/.test(text) ? 'on' : null;
};

/** Off where one says so: what is not enforced keeps nobody from booting. */
const together = (words: readonly ('on' | 'off' | null)[]): 'on' | 'off' | null =>
  words.find((word) => word === 'off') ?? words.find((word) => word === 'on') ?? null;

/** Whether the kernel asks for a policy: on Debian only with a word on its command line. */
const isActive = async (subject: Subject): Promise<boolean> => {
  const { files, facts } = subject;
  const started = (await bootEntriesOf(subject)).filter(({ isDefault }) => isDefault);
  const texts = await Promise.all(settings.map((path) => files.read(path)));
  const word =
    together(started.map(({ options }) => selinuxWord(options))) ??
    together(texts.map((text) => selinuxWord(text?.replace(/^\s*#.*$/gm, '') ?? '')));
  return word === null ? onByDefault.test(facts.os.id ?? '') : word === 'on';
};

/** Directory with a compiled policy, which init loads (libselinux: policy/policy.VERSION). */
export const hasPolicy = async (files: SystemFiles, type: string): Promise<boolean> => {
  const names = (await files.list(`/etc/selinux/${type}/policy`)) ?? [];
  const policies = names.filter((name) => /^policy\.\d+$/.test(name));
  const filled = await Promise.all(
    policies.map((name) => files.isFilled(`/etc/selinux/${type}/policy/${name}`)),
  );
  return filled.includes(true);
};

const policyFinding = (type: string, line: number, text: string): Finding => ({
  id: 'access.selinux-policy-missing',
  severity: 'critical',
  title: `SELinux is enforcing, and its policy "${type}" is not on the disk`,
  subject: type,
  evidence: [
    fileEvidence(selinuxConfig, line, text),
    fileEvidence(`/etc/selinux/${type}/policy`, null, 'holds no policy'),
  ],
  meaning: 'init cannot load the policy and stops: "Failed to load SELinux policy. Freezing."',
  repair: 'access.selinux-policy',
});

/** The types that these files must have; without them no program may read the accounts. */
const labelled: readonly { readonly path: string; readonly type: RegExp }[] = [
  { path: '/etc/passwd', type: /:(?:passwd_file_t|etc_t):/ },
  { path: '/etc/shadow', type: /:shadow_t:/ },
  { path: '/etc/group', type: /:(?:passwd_file_t|etc_t):/ },
];

/** The label of a file; null when it has none, undefined when it cannot be asked for. */
const labelOf = async ({ host }: Subject, hostPath: string): Promise<string | null | undefined> => {
  try {
    const { exitCode, stdout } = await host.run({
      program: 'getfattr',
      args: ['--absolute-names', '--only-values', '--name=security.selinux', hostPath],
      accept: [0, 1],
      changes: false,
    });
    return exitCode === 0 ? stdout.replaceAll('\0', '').trim() : null;
  } catch {
    // Without getfattr on the rescue host labels stay unknown, and nothing is said of them.
    return undefined;
  }
};

const labelFindings = async (subject: Subject): Promise<readonly Finding[]> => {
  if ((await subject.files.status('/.autorelabel')) !== null) return [];
  const wrong = await Promise.all(
    labelled.map(async ({ path, type }) => {
      const found = await subject.files.locate(path);
      const label = found === null ? undefined : await labelOf(subject, found.hostPath);
      if (label === undefined || (label !== null && type.test(`${label}:`))) return [];
      return [fileEvidence(path, null, label === null ? 'has no label' : `label ${label}`)];
    }),
  );
  const evidence = wrong.flat();
  if (evidence.length === 0) return [];
  return [
    {
      id: 'access.selinux-mislabelled',
      severity: 'critical',
      title: 'SELinux is enforcing, and the files of the accounts have the wrong labels',
      subject: evidence[0]?.kind === 'file' ? evidence[0].path : 'labels',
      evidence,
      meaning: 'The policy keeps login, sshd and systemd from reading them: nobody can log in.',
      repair: 'access.selinux-relabel',
    },
  ];
};

/** SELinux where it is enforcing: is there a policy, and do the labels fit? */
export const selinuxCheck: Check = {
  area: 'access',
  finds: ['access.selinux-policy-missing', 'access.selinux-mislabelled'],
  run: async (subject) => {
    const text = (await subject.files.read(selinuxConfig, 64 * 1024)) ?? '';
    if (!/^\s*SELINUX=\s*enforcing\s*$/im.test(text) || !(await isActive(subject))) return [];
    const lines = text.split('\n');
    const index = lines.findIndex((line) => /^\s*SELINUXTYPE=/.test(line));
    const type = /^\s*SELINUXTYPE=\s*(\S+)/.exec(lines[index] ?? '')?.[1] ?? 'targeted';
    if (!(await hasPolicy(subject.files, type))) {
      return [policyFinding(type, Math.max(index, 0) + 1, lines[index] ?? 'no SELINUXTYPE')];
    }
    return labelFindings(subject);
  },
};
