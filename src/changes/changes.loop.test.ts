import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changedPaths, detailsOf, readManifest } from '../../fixtures/broken/manifest.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { applyEntryChange } from './apply-change.ts';
import { applyOnLayer } from './apply-on-layer.ts';
import { changeLogFile, openChangeLog } from './change-log.ts';
import { parseChangeLog } from './change-record.ts';
import type { EntryChange } from './entry-commands.ts';
import { layerChanges } from './layer-changes.ts';
import { undoChanges } from './undo-changes.ts';

let lab: Lab;
/** A mounted ext4 with a few files of every kind. */
let root: string;
let session: string;

const fill = `cd "$0"
mkdir etc boot empty
printf 'one\\ntwo\\n' > etc/plain; chmod 640 etc/plain; chown 12:34 etc/plain
setfacl -m u:55:r etc/plain; setfattr -n user.note -v kept etc/plain
touch -d '2001-02-03 04:05:06.123456789' etc/plain
ln -s ../etc/plain etc/link
ln -s /nowhere etc/dangling
printf fixed > etc/fixed; chattr +i etc/fixed
printf setuid > etc/setuid; chmod 4755 etc/setuid
printf ping > etc/ping
touch -d '2001-02-03 04:05:07.987654321' etc empty`;

beforeAll(async () => {
  lab = await openLab();
});

afterAll(() => lab.close());

let number = 0;

beforeEach(async () => {
  number += 1;
  const file = join(lab.directory, `disk-${number}.raw`);
  root = join(lab.directory, `root-${number}`);
  session = join(lab.directory, `session-${number}`);
  await mkdir(root);
  await mkdir(session);
  await lab.run('truncate', '--size=32M', file);
  await lab.run('mke2fs', '-q', '-F', '-t', 'ext4', file);
  await lab.run('mount', '-o', 'loop', file, root);
  const mounted = root;
  lab.later(() => lab.run('umount', mounted));
  await lab.run('sh', '-ec', fill, root);
});

const apply = async (...changes: readonly EntryChange[]): Promise<void> => {
  const log = await openChangeLog(lab.host, session);
  for (const change of changes) await applyEntryChange(lab.host, root, log, change);
};

const recorded = async () => parseChangeLog(await readFile(changeLogFile(session), 'utf8'));

const undo = async (force = false) => {
  const log = await openChangeLog(lab.host, session);
  const target = { host: lab.host, root, disks: [], flush: async () => {} };
  return undoChanges(target, log, await recorded(), force);
};

const state = async () => {
  const manifest = await readManifest(lab, root);
  const details = await detailsOf(lab, root, [...manifest.keys()]);
  return { visible: [...manifest].map(([path, { visible }]) => `${path} ${visible}`), details };
};

const everyKind: readonly EntryChange[] = [
  { kind: 'write-file', path: '/etc/plain', content: 'one\nTWO\n' },
  { kind: 'write-file', path: '/etc/new', content: 'new\n', attributes: { mode: 0o600 } },
  { kind: 'write-file', path: '/etc/link', content: 'to the file that it leads to\n' },
  { kind: 'make-link', path: '/etc/dangling', to: 'plain' },
  { kind: 'make-link', path: '/lib64', to: 'usr/lib64' },
  { kind: 'make-directory', path: '/var', attributes: { mode: 0o755, uid: 0, gid: 0 } },
  { kind: 'make-directory', path: '/var/log', attributes: { mode: 0o2775, uid: 0, gid: 4 } },
  { kind: 'remove', path: '/empty' },
  { kind: 'set-attributes', path: '/etc/setuid', attributes: { mode: 0o755, uid: 7 } },
  { kind: 'set-attributes', path: '/etc/fixed', attributes: {}, clearFlags: ['immutable'] },
  { kind: 'write-file', path: '/etc/fixed', content: 'mended' },
  { kind: 'remove', path: '/etc/plain' },
];

describe('changes of a real file system', () => {
  it('are taken back to the byte, the nanosecond and the attribute', async () => {
    const before = await state();
    await apply(...everyKind);
    expect(await state()).not.toEqual(before);
    const { undone, left } = await undo();
    expect(left).toEqual([]);
    expect(undone).toContain('/etc/plain');
    expect(await state()).toEqual(before);
  });

  it('keep owner, mode, ACL and extended attributes of a file whose content they set', async () => {
    const before = await detailsOf(lab, root, ['/etc/plain']);
    await apply({ kind: 'write-file', path: '/etc/plain', content: 'one\nTWO\n' });
    const after = await detailsOf(lab, root, ['/etc/plain']);
    const attributes = (text: string) =>
      text.split('\n').filter((line) => /^(user|system)/.test(line));
    expect(attributes(after)).toEqual(attributes(before));
    expect(attributes(after)).toHaveLength(2);
    expect(await lab.run('stat', '--format=%a %u %g', join(root, 'etc/plain'))).toBe('640 12 34');
  });

  it('are nothing when the entry is so already', async () => {
    await apply({ kind: 'write-file', path: '/etc/plain', content: 'one\ntwo\n' });
    await apply({ kind: 'make-link', path: '/etc/dangling', to: '/nowhere' });
    expect(await lab.host.files.readText(changeLogFile(session))).toBe(null);
  });

  it('are not taken back where somebody has changed the file since, unless forced', async () => {
    await apply(
      { kind: 'write-file', path: '/etc/plain', content: 'ours\n' },
      { kind: 'write-file', path: '/etc/new', content: 'ours\n' },
    );
    await writeFile(join(root, 'etc/plain'), 'theirs\n');
    const first = await undo();
    expect(first.undone).toEqual(['/etc/new']);
    expect(first.left).toMatchObject([{ what: '/etc/plain' }]);
    expect(await readFile(join(root, 'etc/plain'), 'utf8')).toBe('theirs\n');
    expect((await undo(true)).undone).toEqual(['/etc/plain']);
    expect(await readFile(join(root, 'etc/plain'), 'utf8')).toBe('one\ntwo\n');
  });

  it('are left alone by an undo whose backup was tampered with', async () => {
    await apply({ kind: 'write-file', path: '/etc/plain', content: 'ours\n' });
    await writeFile(join(session, 'changes/1.tar'), 'something else');
    expect((await undo()).left).toMatchObject([
      { what: '/etc/plain', reason: expect.stringContaining('not what was written') },
    ]);
    expect(await readFile(join(root, 'etc/plain'), 'utf8')).toBe('ours\n');
  });

  it('leave the old file whole when the disk is full', async () => {
    const fillUp = 'dd if=/dev/zero of="$0/filler" bs=1M 2>/dev/null || true';
    await lab.run('sh', '-c', fillUp, root);
    const change = {
      kind: 'write-file',
      path: '/etc/plain',
      content: Buffer.alloc(2 ** 20, 'x'),
    } as const;
    await expect(apply(change)).rejects.toMatchObject({ code: 'CHANGE_FAILED' });
    expect(await readFile(join(root, 'etc/plain'), 'utf8')).toBe('one\ntwo\n');
    expect((await lab.host.files.list(join(root, 'etc')))?.join(' ')).not.toContain('.rescuekit-');
  });

  it('are taken back where the disk was full before, to its last block', async () => {
    const fillUp = `dd if=/dev/zero of="$0/etc/large" bs=1M count=2 2>/dev/null
dd if=/dev/zero of="$0/filler" bs=1M 2>/dev/null
dd if=/dev/zero of="$0/rest" bs=1k 2>/dev/null || true`;
    await lab.run('sh', '-c', fillUp, root);
    const before = await state();
    await apply({ kind: 'remove', path: '/etc/large' }, { kind: 'remove', path: '/etc/plain' });
    await lab.run('sync', '--file-system', root);
    expect(await undo()).toEqual({ undone: ['/etc/plain', '/etc/large'], left: [] });
    expect(await state()).toEqual(before);
  });

  it('are taken back where the disk was full before, to its last inode', async () => {
    const fillUp = `mkdir "$0/many"; cd "$0/many"; seq 20000 | xargs touch 2>/dev/null || true`;
    await lab.run('sh', '-c', fillUp, root);
    const before = await readManifest(lab, root);
    await apply({ kind: 'remove', path: '/etc/plain' }, { kind: 'remove', path: '/many/1' });
    expect(await undo()).toEqual({ undone: ['/many/1', '/etc/plain'], left: [] });
    expect(changedPaths(before, await readManifest(lab, root))).toEqual([]);
  });

  it('stay inside the system, whatever its links say', async () => {
    const outside = join(lab.directory, 'outside');
    await mkdir(outside);
    await lab.run('ln', '--symbolic', outside, join(root, 'trap'));
    const change = { kind: 'write-file', path: '/trap/file', content: 'x' } as const;
    await expect(apply(change)).rejects.toMatchObject({ code: 'NO_PLACE' });
    expect(await lab.host.files.list(outside)).toEqual([]);
  });

  it('go to the file that a link of the system leads to, and never to one of this machine', async () => {
    const outside = join(lab.directory, `outside-${number}`);
    await writeFile(outside, 'of this machine');
    await chmod(outside, 0o600);
    await lab.run('ln', '--symbolic', '/etc/plain', join(root, 'etc/inside'));
    await lab.run('ln', '--symbolic', outside, join(root, 'etc/outside'));
    const before = await state();
    await apply(
      { kind: 'write-file', path: '/etc/inside', content: 'mended\n' },
      { kind: 'set-attributes', path: '/etc/inside', attributes: { mode: 0o604 } },
      { kind: 'write-file', path: '/etc/outside', content: 'a file in place of the link\n' },
    );
    expect(await readFile(join(root, 'etc/plain'), 'utf8')).toBe('mended\n');
    expect(await lab.run('stat', '--format=%a %F', join(root, 'etc/plain'))).toMatch(
      /^604 regular/,
    );
    expect((await undo()).left).toEqual([]);
    expect(await state()).toEqual(before);
    const attributes: EntryChange = {
      ...{ kind: 'set-attributes', path: '/etc/outside' },
      attributes: { mode: 0o644 },
    };
    await expect(apply(attributes)).rejects.toMatchObject({ code: 'NO_PLACE' });
    expect(await lab.run('stat', '--format=%a', outside)).toBe('600');
    expect(await readFile(outside, 'utf8')).toBe('of this machine');
  });

  it('write through no name that the disk holds ready, on the disk and on a layer', async () => {
    const outside = join(lab.directory, `outside-${number}`);
    await writeFile(outside, 'of this machine');
    const traps = ['0.new', '0.content', ...Array.from({ length: 30 }, (_, at) => `${at + 1}.new`)];
    for (const name of traps) {
      await lab.run('ln', '--symbolic', outside, join(root, `etc/.rescuekit-${name}`));
    }
    const change = { kind: 'write-file', path: '/etc/plain', content: 'of the disk' } as const;
    await applyOnLayer(lab.host, root, change, join(session, 'content'));
    await apply({ ...change, content: 'of the disk, too' });
    expect(await readFile(outside, 'utf8')).toBe('of this machine');
    expect((await undo()).left).toEqual([]);
    expect(await readFile(outside, 'utf8')).toBe('of this machine');
  });

  it('leave what is immutable, say so, and have nothing to take back', async () => {
    const change = { kind: 'write-file', path: '/etc/fixed', content: 'mended' } as const;
    await expect(apply(change)).rejects.toMatchObject({
      code: 'FLAGGED',
      message: expect.stringContaining('/etc/fixed is immutable'),
    });
    await lab.run('chattr', '+i', join(root, 'etc'));
    try {
      const other = { ...change, path: '/etc/plain' };
      await expect(apply(other)).rejects.toMatchObject({ code: 'FLAGGED' });
    } finally {
      await lab.run('chattr', '-i', join(root, 'etc'));
    }
    expect(await lab.host.files.readText(changeLogFile(session))).toBe(null);
  });

  it('keep the capabilities of a program whose content they set', async () => {
    await lab.run('setcap', 'cap_net_raw+ep', join(root, 'etc/setuid'));
    const before = await state();
    await apply({ kind: 'write-file', path: '/etc/setuid', content: 'another program' });
    expect(await lab.run('getcap', join(root, 'etc/setuid'))).toContain('cap_net_raw=ep');
    expect((await undo()).left).toEqual([]);
    expect(await state()).toEqual(before);
  });

  it('whose undo was cut off are taken back by the next one', async () => {
    const before = await state();
    await apply(
      { kind: 'write-file', path: '/etc/plain', content: 'one change\n' },
      { kind: 'write-file', path: '/etc/plain', content: 'and another\n' },
      { kind: 'write-file', path: '/etc/new', content: 'ours\n' },
    );
    const log = await readFile(changeLogFile(session), 'utf8');
    expect((await undo()).left).toEqual([]);
    // As if it had been killed before it could note anything.
    await writeFile(changeLogFile(session), log);
    expect(await undo()).toEqual({ undone: [], left: [] });
    expect(await state()).toEqual(before);
  });

  it('that were cut off are taken back, and what somebody wrote since is not', async () => {
    await apply(
      { kind: 'write-file', path: '/etc/plain', content: 'ours\n' },
      { kind: 'write-file', path: '/etc/new', content: 'ours\n' },
    );
    const log = await readFile(changeLogFile(session), 'utf8');
    const intents = log.split('\n').filter((line) => line.includes('"intent"'));
    await writeFile(changeLogFile(session), `${intents.join('\n')}\n`);
    await writeFile(join(root, 'etc/new'), 'theirs\n');
    const { undone, left } = await undo();
    expect(undone).toEqual(['/etc/plain']);
    expect(left).toMatchObject([{ what: '/etc/new' }]);
    expect(await readFile(join(root, 'etc/plain'), 'utf8')).toBe('one\ntwo\n');
    expect(await readFile(join(root, 'etc/new'), 'utf8')).toBe('theirs\n');
  });
});

describe('what was written to a layer', () => {
  it('comes back as changes that make the system below it the same', async () => {
    const [upper, work, merged] = ['upper', 'work', 'merged'].map((name) => join(session, name));
    if (upper === undefined || work === undefined || merged === undefined) throw new Error();
    for (const path of [upper, work, merged]) await mkdir(path);
    const options = `lowerdir=${root},upperdir=${upper},workdir=${work}`;
    await lab.run('mount', '-t', 'overlay', '-o', options, 'overlay', merged);
    lab.later(() => lab.run('umount', merged));
    await lab.run(
      'sh',
      '-ec',
      `cd "$0"; echo changed > etc/plain; rm etc/link; rm -r empty; mkdir -p var/lib/new
touch etc/setuid; setcap cap_net_raw+ep etc/ping; setfacl -m u:55:rx boot; echo fresh > var/lib/new/file; ln -s new var/lib/link; mkdir run; echo x > run/pid`,
      merged,
    );
    const before = await state();
    const layer = { lower: root, upper, merged, target: '/' };
    const changes = await layerChanges(lab.host, layer);
    expect(
      changes.map(({ kind, ...rest }) => `${kind} ${'path' in rest ? rest.path : ''}`),
    ).toEqual([
      'remove /empty',
      'copy-entry /boot',
      'remove /etc/link',
      'copy-entry /etc/ping',
      'copy-entry /etc/plain',
      'copy-entry /var',
      'copy-entry /var/lib',
      'copy-entry /var/lib/link',
      'copy-entry /var/lib/new',
      'copy-entry /var/lib/new/file',
    ]);
    await apply(...changes.filter((change) => change.kind !== 'write-bytes'));
    const [below, seen] = await Promise.all([readManifest(lab, root), readManifest(lab, merged)]);
    const differing = changedPaths(below, seen).filter((path) => !path.startsWith('/run'));
    expect(differing).toEqual(['/etc/setuid']);
    const attributes = ['/etc/ping', '/boot'];
    expect(await detailsOf(lab, root, attributes)).toBe(await detailsOf(lab, merged, attributes));
    expect((await undo()).left).toEqual([]);
    expect(await state()).toEqual(before);
  });
});
