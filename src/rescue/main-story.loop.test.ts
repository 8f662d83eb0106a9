import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { cutOff, leanDisk, withMounted } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';

let lab: Lab;
let image = '';
const lostDisk = 'UUID=00000000-1111-2222-3333-444444444444 /srv/data ext4 defaults 0 2';

beforeAll(async () => {
  lab = await openLab();
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

/** A disk as it comes to a rescue: cut off, a data disk of its fstab missing, root locked. */
const brokenDisk = async () => {
  const disk = await leanDisk(lab, 'separate', { name: 'broken', extraFstab: [lostDisk] });
  await cutOff(lab, disk);
  image = disk.file;
  return disk;
};

const rescue = async (script: string) => {
  const answer = await lab.kit(['rescue', image, '--exec', script, '--json']);
  return { ...answer, document: answer.json(rescueDocumentSchema) };
};

it('rescues a cut-off disk with a missing data disk and a locked root account', async () => {
  const disk = await brokenDisk();
  const script = 'echo out; echo err >&2; sed -i "/srv.data/d" /etc/fstab; echo kept > /root/note';
  const { exitCode, document } = await rescue(script);
  expect(exitCode).toBe(0);
  expect(document).toMatchObject({
    schemaVersion: 1,
    reachedTarget: true,
    exec: { exitCode: 0, stdout: 'out\n', stderr: 'err\n' },
    cleanedUp: true,
  });
  expect(document.bootSeconds).toBeGreaterThan(0);
  expect(document.mounts.map(({ target }) => target)).toEqual(['/', '/var', '/boot']);
  expect(document.notMounted).toMatchObject([
    { target: '/srv/data', device: null, state: 'missing' },
  ]);
  await withMounted(lab, disk, '/', async (root) => {
    expect(await lab.run('cat', `${root}/root/note`)).toBe('kept');
    expect(await lab.run('cat', `${root}/etc/fstab`)).not.toContain('/srv/data');
    expect(await lab.run('grep', '^root:', `${root}/etc/shadow`)).toMatch(/^root:!:/);
  });
});

it('passes on the exit status of the command, and exits 1 when it is not 0', async () => {
  await leanDisk(lab, 'whole', { name: 'broken' });
  const file = `${lab.directory}/broken.raw`;
  const answer = await lab.kit(['rescue', file, '--exec', 'echo no; exit 42', '--json']);
  expect(answer.exitCode).toBe(1);
  expect(answer.json(rescueDocumentSchema)).toMatchObject({
    exec: { exitCode: 42, stdout: 'no\n' },
    cleanedUp: true,
  });
});

it('runs a script file in the system, with its own interpreter', async () => {
  const { file } = await leanDisk(lab, 'whole');
  const script = `${lab.directory}/script`;
  await lab.host.files.writeText(
    script,
    '#!/bin/bash\n[[ -n $BASH_VERSION ]] && echo bash $(hostname)\n',
    0o600,
  );
  const answer = await lab.kit(['rescue', file, '--script', script]);
  expect(answer.exitCode, answer.stderr).toBe(0);
  expect(answer.stdout).toBe('bash web-3\n');
});

/** Every path of a tree with what it is, whose it is and what is in it. */
const treeOf = async (root: string): Promise<ReadonlyMap<string, string>> => {
  const list = 'cd "$0" && find . -xdev -printf "%P\\t%y %m %U:%G %l\\n"';
  const sums = 'cd "$0" && find . -xdev -type f -exec sha256sum --zero {} +';
  const kinds = (await lab.run('sh', '-c', list, root)).split('\n').map((line) => {
    const [path = '', what = ''] = line.split('\t');
    return [path, what] as const;
  });
  const contents = new Map(
    (await lab.run('sh', '-c', sums, root)).split('\0').map((line) => {
      const [sum = '', path = ''] = line.split('  ./');
      return [path, sum] as const;
    }),
  );
  return new Map(kinds.map(([path, what]) => [path, `${what} ${contents.get(path) ?? ''}`]));
};

const changed = (
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] =>
  [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .sort();

/** What a system's own systemd writes when it boots; nothing of it is the rescue's. */
const ownWrites = [
  /^etc\/machine-id$/,
  /^etc\/(mtab|resolv\.conf|\.updated|\.pwd\.lock)$/,
  /^etc\/ld\.so\.cache$/,
  /^var\/(\.updated|lib\/systemd\/|log\/(journal|wtmp|lastlog|btmp)|tmp\/systemd-private-|cache\/ldconfig)/,
  /^var\/lib\/(systemd|dbus\/machine-id)$/,
];

it('leaves on the disk only what a boot of the system itself would write', async () => {
  const disk = await leanDisk(lab, 'whole', { name: 'compared' });
  image = disk.file;
  const before = await withMounted(lab, disk, '/', treeOf);
  const { exitCode } = await rescue('true');
  expect(exitCode).toBe(0);
  const after = await withMounted(lab, disk, '/', treeOf);
  const differences = changed(before, after);
  expect(differences.filter((path) => !ownWrites.some((own) => own.test(path)))).toEqual([]);
  expect([...after.keys()].filter((path) => /rescuekit|sulogin-force/.test(path))).toEqual([]);
  expect(differences.filter((path) => path.startsWith('run/'))).toEqual([]);
});
