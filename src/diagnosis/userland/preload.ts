import {
  type ProgramFault,
  type ProgramReader,
  programReader,
} from '../../system-image/program-closure.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile } from './evidence.ts';
import { faultWords } from './fault-words.ts';
import { type PreloadEntry, parsePreload } from './preload-file.ts';

const path = '/etc/ld.so.preload';

const baseName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** The loader only complains of an object that it cannot take; what that object needs is fatal. */
const isOwn = (fault: ProgramFault, entry: PreloadEntry): boolean =>
  baseName(fault.path) === baseName(entry.name) && fault.fault !== 'lacks-version';

const ownFinding = (entry: PreloadEntry, fault: ProgramFault): Finding => ({
  id: 'userland.preload-missing',
  severity: 'warning',
  title: `/etc/ld.so.preload names ${entry.name}, which ${faultWords(fault)}`,
  subject: entry.name,
  evidence: [atFile(path, entry.name, entry.line)],
  meaning:
    'Every program prints an error of ld.so when it starts: scripts that read what programs print, package tools and logins without a terminal stumble over it.',
  repair: 'userland.preload',
});

const neededFinding = (entry: PreloadEntry, fault: ProgramFault): Finding => ({
  id: 'userland.preload-fatal',
  severity: 'critical',
  title: `${entry.name} of /etc/ld.so.preload needs ${fault.path}, which ${faultWords(fault)}`,
  subject: entry.name,
  evidence: [atFile(path, entry.name, entry.line), atFile(fault.path, faultWords(fault))],
  meaning: 'No program starts any more, the init included: the kernel panics.',
  repair: 'userland.preload',
});

const look = async (
  reader: ProgramReader,
  machine: string,
  entry: PreloadEntry,
): Promise<readonly Finding[]> => {
  const faults = await reader.faultsOfLibrary(entry.name, machine);
  const needed = faults.find((fault) => !isOwn(fault, entry));
  if (needed !== undefined) return [neededFinding(entry, needed)];
  const own = faults[0];
  return own === undefined ? [] : [ownFinding(entry, own)];
};

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  const entries = parsePreload((await subject.files.read(path, 64 * 1024)) ?? '').slice(0, 32);
  if (entries.length === 0) return [];
  const reader = await programReader(subject.files);
  // The init may be what is of another machine; the shell and the C library's tools hardly are, too.
  const machines = await Promise.all(
    ['/bin/sh', '/bin/mount', '/bin/ls'].map((program) => reader.machineOf(program)),
  );
  const machine = machines.find((one) => one !== null) ?? subject.facts.architecture;
  if (machine === null) return [];
  return (await Promise.all(entries.map((entry) => look(reader, machine, entry)))).flat();
};

/** Objects that are loaded into every program (ld.so(8)). */
export const preloadCheck: Check = {
  area: 'userland',
  finds: ['userland.preload-missing', 'userland.preload-fatal'],
  run,
};
