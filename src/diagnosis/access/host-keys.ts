import type { FileStatus } from '../../host/files.ts';
import { parseGroups } from '../../system-image/accounts.ts';
import { readSshService } from '../../system-image/ssh-service.ts';
import { readSshdConfig, sshdValue, sshdValues } from '../../system-image/sshd-config.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { isFirstBoot, type Units } from '../../system-image/units.ts';
import type { Check } from '../check.ts';
import { fileEvidence, octalMode } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';

const defaultKeys = ['rsa', 'ecdsa', 'ed25519'].map((type) => `/etc/ssh/ssh_host_${type}_key`);

type KeyState = 'usable' | 'missing' | 'open' | 'broken';

type Key = { readonly path: string; readonly state: KeyState; readonly text: string };

/** Fedora's sshd takes keys that its group ssh_keys may read. */
const mayRead = (status: FileStatus, keyGroup: number | null): boolean =>
  status.gid === keyGroup ? (status.mode & 0o037) === 0 : (status.mode & 0o077) === 0;

const readKey = async (files: SystemFiles, path: string, keyGroup: number | null): Promise<Key> => {
  const status = await files.status(path);
  if (status?.kind !== 'file') return { path, state: 'missing', text: 'is missing' };
  const start = (await files.bytes(path, 64))?.toString('latin1') ?? '';
  if (status.sizeBytes === 0) return { path, state: 'broken', text: 'is empty' };
  if (!/^-----BEGIN /.test(start)) {
    return { path, state: 'broken', text: 'does not begin as a private key does' };
  }
  // sshd looks at the mode only of keys that are its own (sshkey_perm_ok of OpenSSH).
  if (status.uid === 0 && !mayRead(status, keyGroup)) {
    return { path, state: 'open', text: `mode ${octalMode(status.mode)}: others may read it` };
  }
  return { path, state: 'usable', text: 'usable' };
};

const makesKeys = /ssh.*keygen|sshdgenkeys|ssh-?gen-?keys|ssh.*host.*keys/;

/** Debian's sshd-keygen.service runs at the first boot and never again. */
const runsAtNextBoot = async (files: SystemFiles, unit: string): Promise<boolean> => {
  const places = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
  const texts = await Promise.all(places.map((place) => files.read(`${place}/${unit}`, 64 * 1024)));
  const text = texts.find((each) => each !== null) ?? '';
  return !/^ConditionFirstBoot\s*=\s*(?:yes|true|1)/m.test(text) || isFirstBoot(files);
};

/** Something makes the keys at boot: a unit for it, cloud-init, or the service's own script. */
const keysAreMade = async (files: SystemFiles, units: Units): Promise<boolean> => {
  const makers = [...units.wantedBy.keys()].filter((unit) => makesKeys.test(unit));
  const run = await Promise.all(makers.map((unit) => runsAtNextBoot(files, unit)));
  if (run.includes(true)) return true;
  const texts = await Promise.all(
    ['ssh.service', 'sshd.service']
      .flatMap((unit) => [`/usr/lib/systemd/system/${unit}`, `/lib/systemd/system/${unit}`])
      .concat(['/etc/init.d/sshd'])
      .map((path) => files.read(path, 64 * 1024)),
  );
  if (texts.some((text) => text !== null && /keygen|genkeys|gen-keys/.test(text))) return true;
  const [cloudInit, instance] = await Promise.all([
    files.isFilled('/usr/bin/cloud-init'),
    files.status('/var/lib/cloud/instance'),
  ]);
  // cloud-init makes them once for each instance.
  return cloudInit && instance === null;
};

const noServer =
  'The ssh server does not start without a usable host key: nobody can log in over the network.';
const lessKeys =
  'The ssh server leaves out this key; clients that know the machine by it are warned.';

const findingOf = (key: Key, alone: boolean): Finding => ({
  id: key.state === 'open' ? 'access.host-key-mode' : 'access.host-key-broken',
  severity: alone ? 'critical' : 'warning',
  title:
    key.state === 'open'
      ? `The private host key ${key.path} may be read by others, so sshd does not use it`
      : `The private host key ${key.path} ${key.text}`,
  subject: key.path,
  evidence: [fileEvidence(key.path, null, key.text)],
  meaning: alone ? noServer : lessKeys,
  repair: key.state === 'open' ? 'access.host-key-mode' : 'access.make-host-keys',
});

const allMissing = (keys: readonly Key[]): Finding => ({
  id: 'access.host-keys-missing',
  severity: 'critical',
  title: 'The ssh server has no host key',
  subject: '/etc/ssh',
  evidence: keys.map(({ path, text }) => fileEvidence(path, null, text)),
  meaning: noServer,
  repair: 'access.make-host-keys',
});

const keyGroupOf = async (files: SystemFiles): Promise<number | null> =>
  parseGroups((await files.read('/etc/group')) ?? '').find(({ name }) => name === 'ssh_keys')
    ?.gid ?? null;

/** The private keys that the ssh server shows who it is with. */
export const hostKeysCheck: Check = {
  area: 'access',
  finds: ['access.host-keys-missing', 'access.host-key-mode', 'access.host-key-broken'],
  run: async ({ files }) => {
    const { program, enabled, units } = await readSshService(files);
    if (program === null || !enabled) return [];
    const [directives, keyGroup] = await Promise.all([readSshdConfig(files), keyGroupOf(files)]);
    // With an agent the files are public keys, and the private ones are elsewhere.
    if (sshdValue(directives, 'hostkeyagent') !== null) return [];
    const named = sshdValues(directives, 'hostkey');
    const paths = named.length > 0 ? named : defaultKeys;
    const keys = await Promise.all(
      paths.filter((path) => path.startsWith('/')).map((path) => readKey(files, path, keyGroup)),
    );
    const usable = keys.some(({ state }) => state === 'usable');
    const bad = keys.filter(({ state }) => state === 'open' || state === 'broken');
    if (usable || bad.length > 0) return bad.map((key) => findingOf(key, !usable));
    return keys.length === 0 || (await keysAreMade(files, units)) ? [] : [allMissing(keys)];
  },
};
