import { posix } from 'node:path';
import { grubMenuOnEsp, readGrubMenu } from '../../system-image/grub-menu.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { bootIsHidden } from '../kernel/none.ts';
import { bootEntriesOf } from '../kernel/started-kernels.ts';
import type { Subject } from '../subject.ts';
import { hasCommand } from './menu-text.ts';
import { isForeignMenu } from './word-place.ts';

const repair = 'boot-loader.write-config';

const configFault = (path: string, line: number | null, text: string): Finding => ({
  id: 'boot-loader.grub-config',
  severity: 'critical',
  title: `GRUB's menu ${path} ${text}.`,
  subject: path,
  evidence: [fileEvidence(path, line, text)],
  meaning: 'GRUB stops at the prompt "grub>" or shows an error in place of a menu.',
  repair: isForeignMenu(path) ? null : repair,
});

/** Another boot loader with a menu of its own starts the system without GRUB's. */
const otherLoaderHasMenu = async (subject: Subject): Promise<boolean> => {
  const others = subject.facts.bootLoaders.filter(({ name }) => name !== 'grub');
  const entries = await bootEntriesOf(subject);
  return (
    others.some(({ config }) => config !== null) ||
    entries.some(({ loader }) => loader === 'systemd-boot')
  );
};

/**
 * The finding for a menu that should be on the EFI system partition; none where that is not mounted
 * here, or where the directory is gone, which is told of the programs in it.
 */
const missingOnEsp = async ({ files }: Subject, path: string): Promise<readonly Finding[]> => {
  if (!(await files.isDirectory(posix.dirname(path)))) return [];
  return [configFault(path, null, (await files.status(path)) === null ? 'is missing' : 'is empty')];
};

const findingsOf = async (subject: Subject): Promise<readonly Finding[]> => {
  const { files } = subject;
  const menu = await readGrubMenu(files);
  const onEsp = await grubMenuOnEsp(files);
  if (menu === null && onEsp !== null && !(await files.isFilled(onEsp))) {
    return missingOnEsp(subject, onEsp);
  }
  if (menu === null) {
    const isTwo = await files.isDirectory('/boot/grub2');
    const path = isTwo ? '/boot/grub2/grub.cfg' : '/boot/grub/grub.cfg';
    // GRUB of the first generation reads another file.
    if (await files.isFilled('/boot/grub/menu.lst')) return [];
    const there = (await files.status(path)) !== null;
    return [configFault(path, null, there ? 'is empty' : 'is missing')];
  }
  const { problem } = menu.script;
  if (problem !== null) {
    return [configFault(menu.path, problem.line, `cannot be parsed: ${problem.reason}`)];
  }
  // A menu may hold no Linux of its own but lead to another file.
  const leadsOn = hasCommand(
    (await files.read(menu.path)) ?? '',
    'configfile|source|chainloader|blscfg',
  );
  return menu.entries.length > 0 || (leadsOn && subject.facts.kernels.length === 0)
    ? []
    : [configFault(menu.path, null, 'starts no kernel')];
};

/** Is GRUB's menu there, and can it be read to its end? */
export const grubConfigCheck: Check = {
  area: 'boot-loader',
  finds: ['boot-loader.grub-config'],
  run: async (subject) => {
    const hasGrub = subject.facts.bootLoaders.some(({ name }) => name === 'grub');
    if (!hasGrub || bootIsHidden(subject) || (await otherLoaderHasMenu(subject))) return [];
    return findingsOf(subject);
  },
};
