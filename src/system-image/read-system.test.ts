import { expect, test } from 'vitest';
import { makeElf } from '../../fixtures/make-elf.ts';
import { makeTree, type TreeEntry } from '../../fixtures/make-tree.ts';
import { type Files, hostFiles } from '../host/files.ts';
import { readSystemFacts } from './read-system.ts';
import { systemFactsSchema } from './system-facts.ts';

const loader = '/lib64/ld-linux-x86-64.so.2';
const program: TreeEntry = { program: makeElf({ machine: 62, interpreter: loader }) };
const there: TreeEntry = { directory: true };

const debian: Record<string, TreeEntry> = {
  bin: { link: 'usr/bin' },
  sbin: { link: 'usr/sbin' },
  lib: { link: 'usr/lib' },
  lib64: { link: 'usr/lib64' },
  dev: there,
  proc: there,
  sys: there,
  run: there,
  tmp: there,
  var: there,
  'usr/lib64/ld-linux-x86-64.so.2': program,
  'usr/bin/bash': program,
  'usr/lib/systemd/systemd': program,
  'usr/lib/systemd/libsystemd-shared-252.so': 'x',
  'usr/sbin/init': { link: '/lib/systemd/systemd' },
  'usr/lib/os-release': 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n',
  'etc/os-release': { link: '../usr/lib/os-release' },
  'etc/hostname': 'web-3\n',
  'etc/fstab': 'LABEL=root / ext4 defaults 0 1\nbroken\n',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
  'boot/vmlinuz-6.1.0-20-amd64': 'k',
  'boot/initrd.img-6.1.0-20-amd64': 'i',
  'boot/grub/grub.cfg': 'x',
};

const factsOf = async (entries: Record<string, TreeEntry>, files: Files = hostFiles) => {
  await using tree = await makeTree(entries);
  return await readSystemFacts(files, tree.root);
};

test('everything known of a system comes together and fits the published schema', async () => {
  const facts = await factsOf(debian);
  expect(systemFactsSchema.parse(facts)).toEqual(facts);
  expect(facts).toMatchObject({
    os: { id: 'debian', versionId: '12', prettyName: 'Debian 12' },
    hostname: 'web-3',
    architecture: 'x86_64',
    init: 'systemd',
    initPath: '/sbin/init',
    systemdVersion: 252,
    shell: '/bin/bash',
    kernels: [{ version: '6.1.0-20-amd64', modules: false }],
    bootLoaders: [{ name: 'grub', config: '/boot/grub/grub.cfg' }],
    fstab: [{ line: 1, target: '/' }],
    fstabProblems: [{ line: 2 }],
    missing: [],
    selinux: false,
    arrays: [],
    unreadable: [],
  });
});

test('a missing /lib64 is seen from what the programs ask for', async () => {
  const { lib64: _, ...rest } = debian;
  expect((await factsOf(rest)).missing).toEqual(['/lib64']);
});

test('missing and dangling top-level names are seen, and the system is still described', async () => {
  const { bin: _, dev: __, ...rest } = debian;
  const facts = await factsOf({ ...rest, lib: { link: 'usr/gone' } });
  expect(facts.missing).toEqual(['/bin', '/dev', '/lib']);
  expect(facts).toMatchObject({ init: 'systemd', architecture: 'x86_64' });
});

test('the architecture of a foreign system is that of its init', async () => {
  const arm: TreeEntry = { program: makeElf({ machine: 183 }) };
  const facts = await factsOf({ 'bin/busybox': arm, 'sbin/init': { link: '/bin/busybox' } });
  expect(facts).toMatchObject({ architecture: 'aarch64', init: 'busybox' });
});

test('an empty tree gives facts and no error', async () => {
  expect(await factsOf({})).toMatchObject({
    os: { prettyName: 'Linux (unknown distribution)' },
    hostname: null,
    architecture: null,
    initPath: null,
    shell: null,
    kernels: [],
    fstab: [],
  });
});

test('hostile files give nothing of the host: links out, FIFOs, loops', async () => {
  const facts = await factsOf({
    'etc/hostname': { link: '/../../../../../../etc/hostname' },
    'etc/fstab': { fifo: true },
    'etc/os-release': { link: 'os-release' },
    'etc/passwd': { sizeBytes: 4 * 1024 ** 3 },
    usr: { link: '/' },
    boot: { link: '/proc/self/root/boot' },
  });
  expect(facts).toMatchObject({ hostname: null, fstab: [], kernels: [], shell: null });
});

test('a hostname and an old one are read without control characters', async () => {
  expect((await factsOf({ 'etc/hostname': '# name\n\u001b[31mweb\u0007\n' })).hostname).toBe('web');
  expect(
    (await factsOf({ 'etc/sysconfig/network': 'NETWORKING=yes\nHOSTNAME=db.example\n' })).hostname,
  ).toBe('db.example');
});

test('SELinux counts as on when enforcing or permissive', async () => {
  const on = async (mode: string) =>
    (await factsOf({ 'etc/selinux/config': `# SELINUX=x\nSELINUX=${mode}\n` })).selinux;
  expect([await on('enforcing'), await on('permissive'), await on('disabled')]).toEqual([
    true,
    true,
    false,
  ]);
});

test('a bad block in one file is reported and hides nothing else', async () => {
  const damaged: Files = {
    ...hostFiles,
    readUntrusted: async (path, maxBytes) => {
      if (path.endsWith('/etc/fstab')) throw Object.assign(new Error('i/o error'), { code: 'EIO' });
      return hostFiles.readUntrusted(path, maxBytes);
    },
    list: async (path) => {
      if (path.endsWith('/boot')) throw Object.assign(new Error('unclean'), { errno: -117 });
      return hostFiles.list(path);
    },
  };
  const facts = await factsOf(debian, damaged);
  expect(facts).toMatchObject({ hostname: 'web-3', fstab: [], kernels: [] });
  expect([...facts.unreadable].sort()).toEqual(['/boot', '/etc/fstab']);
});

test('an error that is no damage of the disk is not swallowed', async () => {
  const broken: Files = {
    ...hostFiles,
    readUntrusted: async () => {
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    },
  };
  await expect(factsOf(debian, broken)).rejects.toThrow('too many open files');
});
