import type { Files } from '../host/files.ts';
import { programInside } from './init.ts';
import { firstInside, readInside } from './inside.ts';

const fallbacks = ['/bin/bash', '/usr/bin/bash', '/bin/sh', '/usr/bin/sh', '/bin/busybox'];

// A locked account has one of these: they only say goodbye.
const noShell = /\/(?:nologin|false|true|sync|halt|shutdown)$/;

/** The shell of root as passwd(5) names it; an empty field means /bin/sh. */
export const rootShellOf = (passwd: string): string | null => {
  const accounts = passwd.split(/\r?\n/).map((line) => line.split(':'));
  const account =
    accounts.find((fields) => fields[0] === 'root') ?? accounts.find((fields) => fields[2] === '0');
  if (account === undefined || account.length < 7) return null;
  return account[6]?.trim() || '/bin/sh';
};

/** Root's login shell when it is there and executable, else the first usable shell, else null. */
export const findShell = async (files: Files, root: string): Promise<string | null> => {
  const login = rootShellOf((await readInside(files, root, '/etc/passwd')) ?? '');
  const own = login?.startsWith('/') && !noShell.test(login) ? [login] : [];
  return firstInside(
    [...own, ...fallbacks],
    async (path) => (await programInside(files, root, path)) !== null,
  );
};
