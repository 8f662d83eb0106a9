import { basename, dirname } from 'node:path';
import type { EntryState } from '../host/entry-state.ts';
import type { Host } from '../host/host.ts';
import { keepAll } from './keep-all.ts';

/**
 * An entry by itself with all that tar(1) keeps of it, and with times and names of headers the same
 * for all. A tar that fails gives another sum than any other one.
 */
const sum = `directory=$1 name=$2; shift 2
{ tar --create --file=- --format=posix --no-recursion "$@" --atime-preserve=system --mtime=@0 \\
  '--pax-option=exthdr.name=x,delete=atime,delete=ctime' \\
  --directory="$directory" -- "./$name" || echo "tar failed in $$"; } | sha256sum`;

const attributesSum = async (host: Host, path: string): Promise<string> =>
  (
    await host.run({
      program: 'sh',
      args: ['-c', sum, 'sh', dirname(path), basename(path), ...keepAll],
      timeoutSeconds: 600,
      changes: false,
    })
  ).stdout;

/**
 * Whether two entries of the same name that have the same content, owner and mode have the same ACLs,
 * extended attributes, capabilities and labels, too.
 */
export const sameAttributes = async (
  host: Host,
  { kind }: EntryState,
  one: string,
  other: string,
): Promise<boolean> => {
  if (kind !== 'file' && kind !== 'directory') return true;
  const [a, b] = await Promise.all([one, other].map((path) => attributesSum(host, path)));
  return a === b;
};
