import { plainText } from '../../host/plain-text.ts';
import { parseCrypttab } from '../../system-image/crypttab.ts';
import { lineText } from '../../system-image/edit-fields.ts';
import { crypttabInInitramfs } from '../../system-image/initramfs.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';
import { startedKernels } from '../kernel/started-kernels.ts';
import type { Subject } from '../subject.ts';
import { rootContainers, rootLineOf } from './root-container.ts';
import type { Table } from './table.ts';

/** The copy of crypttab in the initramfs of a kernel that is started. */
export type CrypttabCopy = {
  /** Of the initramfs, path of the system. */
  readonly path: string;
  /** `unknown`: there is no copy, none of its lines is the root's, or that cannot be told here. */
  readonly state: 'opens' | 'wrong' | 'unknown';
  /** The line of the root; null when it is unknown. */
  readonly line: string | null;
};

const copyIn = async (subject: Subject, table: Table, path: string): Promise<CrypttabCopy> => {
  const text = await crypttabInInitramfs(subject.host, subject.files, path);
  const crypttab = parseCrypttab(text ?? '');
  const own: Subject = { ...subject, facts: { ...subject.facts, crypttab } };
  for (const entry of crypttab) {
    const { kind } = await rootLineOf(own, table, entry);
    if (kind === 'none') continue;
    if (kind === 'unknown') break;
    const line = plainText(lineText(text ?? '', entry.line));
    return { path, state: kind === 'right' ? 'opens' : 'wrong', line };
  }
  return { path, state: 'unknown', line: null };
};

/** The copies by which the root is opened; none when the root is not encrypted. */
export const crypttabCopies = async (
  subject: Subject,
  table: Table,
): Promise<readonly CrypttabCopy[]> => {
  const { devices } = subject;
  if (devices === null || rootContainers(devices).length === 0) return [];
  const kernels = await startedKernels(subject);
  const paths = kernels.flatMap(({ initrds }) => initrds.at(-1)?.path ?? []);
  return Promise.all([...new Set(paths)].map((path) => copyIn(subject, table, path)));
};

/** Each initramfs that looks for the root where it is not, whatever /etc/crypttab says by now. */
export const staleCopies = (copies: readonly CrypttabCopy[]): readonly Finding[] => {
  const wrong = copies.filter(({ state }) => state === 'wrong');
  return wrong.map(({ path, line }) => ({
    id: 'fstab.crypttab-initramfs',
    severity: wrong.length === copies.length ? 'critical' : 'warning',
    title: `The initramfs ${plainText(path)} looks for the encrypted volume of the root on a device that is not there.`,
    subject: path,
    evidence: [fileEvidence(path, null, `its own crypttab: ${line}`)],
    meaning:
      'The passphrase is never asked for, and the boot ends in the shell of the initramfs. /etc/crypttab has to be right first.',
    repair: 'kernel.make-initramfs',
  }));
};
