import { isLocked, parseShadow } from '../../system-image/accounts.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';

/** Whether somebody can log in as root itself: with a password, or with a key over ssh. */
export const rootEnters = async (files: SystemFiles): Promise<boolean> => {
  const [shadow, keys] = await Promise.all([
    files.read('/etc/shadow'),
    files.isFilled('/root/.ssh/authorized_keys'),
  ]);
  const root = parseShadow(shadow ?? '').find(({ name }) => name === 'root');
  return keys || (root !== undefined && !isLocked(root.password));
};
