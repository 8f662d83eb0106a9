import { programInside } from '../../system-image/init.ts';
import { isShell } from '../boot-loader/command-line.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';

/** Where the kernel and every initramfs look when the command line names nothing (init/main.c). */
const kernelPaths = ['/sbin/init', '/etc/init', '/bin/init'] as const;

/** Configurations in which `init=` may name another place. */
const bootFiles = [
  '/etc/default/grub',
  '/boot/grub/grub.cfg',
  '/boot/grub2/grub.cfg',
  '/etc/kernel/cmdline',
];

const isNamedElsewhere = async ({ files, host, root }: Subject): Promise<boolean> => {
  const texts = await Promise.all(bootFiles.map((path) => files.read(path)));
  const names = texts.flatMap((text) =>
    [...(text ?? '').matchAll(/(?:^|[\s"'])init=(\/[^\s"']*)/g)].map(([, name = '']) => name),
  );
  // A shell that was left there from a rescue is no init.
  const own = names.filter((name) => !isShell(name));
  const programs = await Promise.all(own.map((name) => programInside(host.files, root, name)));
  return programs.some((program) => program !== null);
};

/** Systems that are started from an initramfs of their own, which knows where the init is. */
const startsOtherwise = (subject: Subject): boolean =>
  subject.facts.os.id === 'nixos' || subject.facts.initPath === '/init';

const whatIsThere = async (subject: Subject): Promise<string> => {
  const [entry, link] = await Promise.all([
    subject.files.entry('/sbin/init'),
    subject.files.link('/sbin/init'),
  ]);
  if (link !== null) return `is a link to ${link}, where no program is`;
  if (entry === null) return 'is missing';
  if (entry.status.kind !== 'file') return 'is no file';
  return entry.status.sizeBytes === 0 ? 'is empty' : 'may not be executed';
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  const { facts, files, host, root } = subject;
  // A missing /sbin is reported as that.
  if (facts.missing.some((path) => ['/sbin', '/usr', '/bin', '/lib'].includes(path))) return [];
  if (startsOtherwise(subject)) return [];
  const found = await Promise.all(kernelPaths.map((path) => programInside(host.files, root, path)));
  if (found.some((program) => program !== null) || (await isNamedElsewhere(subject))) return [];
  const isThere =
    (await files.status('/usr/lib/systemd/systemd')) ??
    (await files.status('/lib/systemd/systemd'));
  return [
    {
      id: 'userland.init-missing',
      severity: 'critical',
      title: 'The kernel finds no init: there is no program /sbin/init',
      subject: '/sbin/init',
      evidence: [
        atFile('/sbin/init', await whatIsThere(subject)),
        ...(isThere === null ? [] : [atFile('/lib/systemd/systemd', 'systemd itself is there')]),
      ],
      meaning:
        'The kernel panics with "No working init found", or the initramfs stops with "No init found".',
      repair: 'userland.init',
    },
  ];
};

/** The path by which the kernel starts the system. */
export const initLinkCheck: Check = { area: 'userland', finds: ['userland.init-missing'], run };
