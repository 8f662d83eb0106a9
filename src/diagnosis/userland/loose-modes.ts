import type { FileStatus } from '../../host/files.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';
import { atFile, octal } from './evidence.ts';

/** Directories whose files belong to root and are written by nobody else, on every distribution. */
const directories = ['/usr/bin', '/usr/sbin', '/usr/lib', '/etc'];
const mostNames = 300;
/** A few strangers are some program's business; this many are the trace of chmod -R or chown -R. */
const many = 40;

type Seen = { readonly path: string; readonly status: FileStatus };

const look = async ({ files }: Subject, directory: string): Promise<readonly Seen[]> => {
  const names = ((await files.list(directory)) ?? []).slice(0, mostNames);
  const found = await Promise.all(names.map((name) => files.entry(`${directory}/${name}`)));
  return found
    .filter((entry) => entry !== null)
    .filter(({ status }) => status.kind === 'file')
    .map(({ path, status }) => ({ path, status }));
};

const isLoose = ({ status }: Seen): boolean =>
  (status.mode & 0o002) !== 0 || (status.uid !== 0 && status.uid < 65536);

const run = async (subject: Subject): Promise<readonly Finding[]> => {
  const seen = (await Promise.all(directories.map((path) => look(subject, path)))).flat();
  const loose = seen.filter(isLoose);
  if (loose.length < many) return [];
  return [
    {
      id: 'userland.loose-modes',
      severity: 'info',
      title: `${loose.length} of ${seen.length} programs and configuration files do not belong to root alone`,
      subject: '/',
      evidence: loose
        .slice(0, 4)
        .map(({ path, status }) =>
          atFile(path, `mode ${octal(status.mode)}, owner ${status.uid}, group ${status.gid}`),
        ),
      meaning:
        'A chmod or chown over the whole disk cannot be taken back without knowing what was before. The system may boot, and still anybody can change it: reinstall its packages, or move to a new system.',
      repair: null,
    },
  ];
};

/** What stays behind after the most important files were set right. */
export const looseModesCheck: Check = {
  area: 'userland',
  finds: ['userland.loose-modes'],
  run,
};
