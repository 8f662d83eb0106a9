import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { makeGate } from '../../fixtures/gate.ts';
import { leanDisk, withMounted } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { rehearseDocumentSchema } from '../commands/rehearse.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';
import { statusDocumentSchema } from '../commands/status.ts';
import { undoDocumentSchema } from '../commands/undo.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

const script = [
  'echo tried > /root/tried',
  'sed -i s/web-3/web-4/ /etc/hostname',
  'rm /etc/issue',
  'mkdir -p /var/lib/new/place && echo inside > /var/lib/new/place/file',
  'ln -s /root/tried /root/link',
  'chmod 0700 /srv',
].join(' && ');

const rehearse = async (image: string, more: readonly string[], exec = script) => {
  const proof = more.includes('--proof') ? [] : ['--proof', 'none'];
  const words = ['rescue', image, '--rehearse', '--exec', exec, '--json', ...proof, ...more];
  const answer = await lab.kit(words);
  return { ...answer, document: answer.json(rescueDocumentSchema) };
};

/** Kills a commit when it has begun to write, in the midst of one of the files. */
const killCommit = async (session: string): Promise<void> => {
  const gate = await makeGate(lab, 'cp', '*/root/tried*');
  const running = lab.start(['rehearse', session, '--commit'], { env: gate.env });
  await gate.reached(running);
  process.kill(running.pid, 'SIGKILL');
  await running.ended;
  await gate.open();
};

it('drops an overlay without a trace, and has told what was tried and that it boots', async () => {
  const { file } = await leanDisk(lab, 'separate', { name: 'dropped' });
  const before = await lab.sum(file);
  const words = ['--on-success', 'drop', '--proof', 'container'];
  const { exitCode, document, stderr } = await rehearse(file, words);
  expect(exitCode, stderr).toBe(0);
  const { rehearsal } = document;
  expect(rehearsal).toMatchObject({ means: 'overlay', phase: 'dropped', succeeded: true });
  const byPath = new Map(rehearsal?.files?.map((change) => [change.path, change]));
  expect(byPath.get('/root/tried')).toMatchObject({ change: 'added', bytesAfter: 6 });
  expect(byPath.get('/etc/hostname')?.diff).toContain('-web-3\n+web-4\n');
  expect(byPath.get('/etc/issue')?.change).toBe('removed');
  expect(byPath.get('/var/lib/new/place/file')).toMatchObject({ change: 'added' });
  expect(byPath.get('/root/link')).toMatchObject({ change: 'added', kind: 'symlink' });
  expect(byPath.get('/srv')?.change).toBe('attributes');
  expect(rehearsal?.proof).toMatchObject({ boots: true, method: 'container' });
  // Written by a boot into the default target only, which was watched beside the layer.
  expect([...byPath.keys()].filter((path) => path.includes('/timers/'))).toEqual([]);
  expect(await lab.sum(file)).toBe(before);
  const [session] = await lab.sessions();
  const kept = await lab.host.files.list(`${lab.stateDirectory}/sessions/${session}/rehearsal`);
  expect(kept).toEqual(['rehearsal.json']);
});

it('keeps an overlay when the work failed, whatever was wanted of success', async () => {
  const { file } = await leanDisk(lab, 'whole', { name: 'failed' });
  const { exitCode, document } = await rehearse(file, ['--on-success', 'commit'], 'exit 3');
  expect(exitCode).toBe(1);
  expect(document.rehearsal).toMatchObject({ phase: 'kept', succeeded: false });
  const dropped = await lab.kit(['rehearse', document.session, '--drop', '--json']);
  expect(dropped.json(rehearseDocumentSchema).rehearsal?.phase).toBe('dropped');
});

it('commits a kept overlay through kill -9, and takes the commit back', async () => {
  const disk = await leanDisk(lab, 'separate', { name: 'kept' });
  const before = await lab.sum(disk.file);
  const { document } = await rehearse(disk.file, ['--on-success', 'keep']);
  const { session } = document;
  expect(await lab.sum(disk.file)).toBe(before);

  await killCommit(session);
  const status = (await lab.kit(['status', '--json'])).json(statusDocumentSchema);
  expect(status.sessions).toMatchObject([
    { id: session, state: 'left', rehearsal: { phase: 'committing' } },
  ]);
  const cleanup = await lab.kit(['cleanup']);
  expect(cleanup.exitCode).toBe(5);
  expect(cleanup.stdout).toContain(`rescuekit rehearse ${session} --commit`);

  const resumed = await lab.kit(['rehearse', session, '--commit', '--json']);
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  expect(resumed.json(rehearseDocumentSchema).rehearsal?.phase).toBe('committed');
  await withMounted(lab, disk, '/', async (root) => {
    expect(await lab.run('cat', `${root}/etc/hostname`)).toBe('web-4');
    expect(await lab.host.files.status(`${root}/etc/issue`)).toBeNull();
    expect(await lab.run('readlink', `${root}/root/link`)).toBe('/root/tried');
    expect((await lab.host.files.status(`${root}/srv`))?.mode).toBe(0o700);
  });
  await withMounted(lab, disk, '/var', async (root) => {
    expect(await lab.run('cat', `${root}/lib/new/place/file`)).toBe('inside');
  });

  const undone = await lab.kit(['undo', session]);
  expect(undone.exitCode, undone.stdout + undone.stderr).toBe(0);
  await withMounted(lab, disk, '/', async (root) => {
    expect(await lab.run('cat', `${root}/etc/hostname`)).toBe('web-3');
    expect(await lab.host.files.status(`${root}/root/tried`)).toBeNull();
  });
  const kept = (await lab.kit(['rehearse', session, '--json'])).json(rehearseDocumentSchema);
  expect(kept.rehearsal?.phase).toBe('kept');
  await lab.kit(['rehearse', session, '--drop']);
});

it('takes back in its own session what a full disk has cut off, and can then be dropped', async () => {
  const disk = await leanDisk(lab, 'whole', { name: 'full' });
  const more =
    'echo tried > /root/tried; echo web-4 > /etc/hostname; head -c 30M /dev/urandom > /srv/zz';
  const { document } = await rehearse(disk.file, ['--on-success', 'keep'], more);
  const { session } = document;
  await withMounted(lab, disk, '/', async (root) => {
    const fill = 'head -c 1G /dev/zero > "$0" 2>/dev/null || truncate --size=-4M "$0"';
    await lab.run('sh', '-c', fill, `${root}/filler`);
  });
  const cut = await lab.kit(['rehearse', session, '--commit', '--json']);
  expect(cut.exitCode, cut.stdout).toBe(5);
  expect(cut.error().message).toContain('No space left on device');
  expect(cut.error().message).toContain(`rescuekit undo ${session}`);
  const refused = await lab.kit(['rehearse', session, '--drop', '--json']);
  expect(refused.exitCode).toBe(2);
  expect(refused.error().hint).toContain(`rescuekit undo ${session}`);
  await withMounted(lab, disk, '/', async (root) => {
    expect(await lab.run('cat', `${root}/etc/hostname`)).toBe('web-4');
  });

  const undone = await lab.kit(['undo', session, '--json']);
  expect(undone.exitCode, undone.stdout + undone.stderr).toBe(0);
  const { left, undone: back } = undone.json(undoDocumentSchema);
  expect(left).toEqual([]);
  expect(back).toEqual(expect.arrayContaining(['/etc/hostname', '/root/tried']));
  await withMounted(lab, disk, '/', async (root) => {
    expect(await lab.run('cat', `${root}/etc/hostname`)).toBe('web-3');
    expect(await lab.host.files.status(`${root}/root/tried`)).toBeNull();
    expect(await lab.host.files.list(`${root}/srv`)).toEqual([]);
  });
  expect((await lab.kit(['cleanup'])).exitCode).toBe(0);
  const dropped = await lab.kit(['rehearse', session, '--drop', '--json']);
  expect(dropped.json(rehearseDocumentSchema).rehearsal?.phase).toBe('dropped');
});

it('waits with force for no disk that is gone, and takes the commit back when it is there again', async () => {
  const disk = await leanDisk(lab, 'whole', { name: 'gone' });
  const hostname = () =>
    withMounted(lab, disk, '/', (root) => lab.run('cat', `${root}/etc/hostname`));
  const { document } = await rehearse(
    disk.file,
    ['--on-success', 'keep'],
    'echo web-4 > /etc/hostname; echo tried > /root/tried',
  );
  const { session } = document;
  await killCommit(session);
  expect((await lab.kit(['cleanup'])).exitCode).toBe(5);

  await lab.run('mv', disk.file, `${disk.file}.away`);
  expect((await lab.kit(['undo', session])).exitCode).not.toBe(0);
  expect((await lab.kit(['cleanup'])).exitCode).toBe(5);
  const forced = await lab.kit(['undo', session, '--force', '--json']);
  expect(forced.exitCode, forced.stdout + forced.stderr).toBe(4);
  expect(forced.json(undoDocumentSchema)).toMatchObject({
    undone: [],
    left: [{ what: disk.file }],
  });
  expect((await lab.kit(['cleanup'])).exitCode).toBe(0);

  await lab.run('mv', `${disk.file}.away`, disk.file);
  expect(await hostname()).toBe('web-4');
  const undone = await lab.kit(['undo', session]);
  expect(undone.exitCode, undone.stdout + undone.stderr).toBe(0);
  expect(await hostname()).toBe('web-3');
  expect((await lab.kit(['rehearse', session, '--drop'])).exitCode).toBe(0);
});

it('stops the work and drops an overlay for which there is no more room', async () => {
  const disk = await leanDisk(lab, 'whole', { name: 'roomless' });
  const before = await lab.sum(disk.file);
  const small = ['--types', 'tmpfs', '--options', 'size=64M', 'tmpfs', lab.stateDirectory];
  await lab.host.files.ensureDirectory(lab.stateDirectory, 0o700);
  await lab.run('mount', ...small);
  try {
    const exec = 'head -c 30M /dev/zero > /root/big; sleep 1000';
    const answer = await lab.kit(['rescue', disk.file, '--rehearse', '--exec', exec, '--json']);
    expect(answer.exitCode, answer.stderr).toBe(1);
    expect(answer.error()).toMatchObject({
      code: 'LAYER_FULL',
      message: expect.stringContaining(disk.file),
    });
    const [session] = await lab.sessions();
    const kept = await lab.host.files.list(`${lab.stateDirectory}/sessions/${session}/rehearsal`);
    expect(kept).toEqual(['rehearsal.json']);
  } finally {
    await lab.run('umount', lab.stateDirectory);
  }
  expect(await lab.sum(disk.file)).toBe(before);
});

it('shows under --dry-run what would be laid over what, and lays nothing', async () => {
  const { file } = await leanDisk(lab, 'whole', { name: 'planned' });
  const words = ['rescue', file, '--rehearse', '--dry-run', '--exec', 'true'];
  const { exitCode, stdout } = await lab.kit(words);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('--types overlay');
  expect((await lab.kit(['status', '--json'])).json(statusDocumentSchema).sessions).toEqual([]);
});

it('refuses to commit over a file that was changed since', async () => {
  const disk = await leanDisk(lab, 'whole', { name: 'changed' });
  const { document } = await rehearse(disk.file, ['--on-success', 'keep']);
  await withMounted(lab, disk, '/', async (root) => {
    await lab.run('sh', '-c', `echo other > ${root}/etc/hostname`);
  });
  const answer = await lab.kit(['rehearse', document.session, '--commit', '--json']);
  expect(answer.exitCode).toBe(4);
  expect(answer.error()).toMatchObject({ code: 'DISK_CHANGED' });
  await lab.kit(['rehearse', document.session, '--drop']);
});
