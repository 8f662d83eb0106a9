import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeGate } from '../../fixtures/gate.ts';
import { leanDisk } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab, type RunOptions } from '../../fixtures/rescuekit.ts';
import { waitUntil } from '../host/wait.ts';
import { mountDocumentSchema } from './mount.ts';

let lab: Lab;
let image = '';
let sum = '';

beforeAll(async () => {
  lab = await openLab();
  image = (await leanDisk(lab, 'whole')).file;
  sum = await lab.sum(image);
});
/** What a test attached; detached even when it fails. */
let attached: string[] = [];
afterEach(async () => {
  for (const device of attached) await lab.run('losetup', '--detach', device);
  attached = [];
});
afterAll(() => lab.close());

const answerTo = async (words: readonly string[], options: RunOptions = {}) => {
  const answer = await lab.kit([...words, '--json'], options);
  return { exitCode: answer.exitCode, ...answer.error() };
};

/** Runs a command that must be refused, and makes sure that the machine is as before. */
const refused = async (words: readonly string[], options: RunOptions = {}) => {
  const before = await lab.state();
  const answer = await answerTo(words, options);
  await lab.expectAsBefore(before);
  if (words.includes(image)) {
    expect(await lab.sum(image), 'a refusal has written to the disk').toBe(sum);
  }
  return answer;
};

const attach = async (file: string, ...options: string[]): Promise<string> => {
  const device = (await lab.run('losetup', ...options, '--find', '--show', file)).trim();
  attached.push(device);
  return device;
};

const file = async (name: string, size: string): Promise<string> => {
  const path = join(lab.directory, name);
  await lab.run('truncate', `--size=${size}`, path);
  return path;
};

/** The label in the second sector as blkid looks for it: LVM2's label_header and pv_header. */
const writePhysicalVolumeLabel = async (path: string): Promise<void> => {
  const sector = Buffer.alloc(512);
  sector.write('LABELONE', 0);
  sector.writeBigUInt64LE(1n, 8);
  sector.writeUInt32LE(32, 20);
  sector.write('LVM2 001', 24);
  sector.write('0123456789abcdefghijklmnopqrstuv', 32);
  // LVM's checksum begins with a value of its own and does not invert as zlib's does.
  const checksum = ~crc32(sector.subarray(20), ~0xf597a6cf >>> 0) >>> 0;
  sector.writeUInt32LE(checksum, 16);
  const handle = await open(path, 'r+');
  await handle.write(sector, 0, sector.length, 512);
  await handle.close();
};

const hasProgram = async (name: string): Promise<boolean> =>
  (await lab.host.files.statusFollowed(`/usr/sbin/${name}`)) !== null;

const commands = ['inspect', 'check', 'mount'] as const;

describe('a target that must not be touched', () => {
  it('is the disk that this machine runs from', async () => {
    const source = (await lab.run('findmnt', '-no', 'SOURCE', '/')).trim();
    for (const command of commands) {
      expect(await refused([command, source])).toMatchObject({
        exitCode: 4,
        message: expect.stringMatching(/is protected: /),
      });
    }
  });

  it('is the root directory of this machine', async () => {
    expect(await refused(['rescue', '/', '--exec', 'true'])).toMatchObject({
      exitCode: 4,
      code: 'PROTECTED',
      message: '/ is the root of this machine itself.',
    });
  });

  it('is a directory with a part of the system mounted below it', async () => {
    const tree = join(lab.directory, 'tree');
    await lab.run('mkdir', '--parents', join(tree, 'boot'), join(tree, 'proc'));
    await lab.run('mount', '--types', 'proc', 'proc', join(tree, 'proc'));
    await lab.run('mount', '--types', 'tmpfs', 'tmpfs', join(tree, 'boot'));
    try {
      for (const words of [['diagnose'], ['repair', '--yes']]) {
        expect(await refused([...words, tree])).toMatchObject({
          exitCode: 4,
          code: 'MOUNTED_BELOW',
          message: `Parts of the system are mounted below ${tree} and would be left out: /boot.`,
        });
      }
    } finally {
      await lab.run('umount', join(tree, 'boot'), join(tree, 'proc'));
    }
  });

  it('is a disk that is mounted', async () => {
    const own = await leanDisk(lab, 'whole', { name: 'mounted' });
    const device = await attach(own.file);
    const path = join(lab.directory, 'mounted-at');
    await lab.run('mkdir', path);
    await lab.run('mount', device, path);
    try {
      expect(await refused(['check', device])).toMatchObject({
        exitCode: 4,
        code: 'MOUNTED',
        message: `${device} is protected: mounted at ${path}.`,
      });
    } finally {
      await lab.run('umount', path);
    }
  });

  it('is a disk that is mounted only in the namespace of another process', async () => {
    const own = await leanDisk(lab, 'whole', { name: 'elsewhere' });
    const device = await attach(own.file);
    const ready = join(lab.directory, 'ready');
    const script = 'mount "$0" /mnt && : > "$1" && while [ -e "$1" ]; do sleep 0.02; done';
    const held = lab.host.run({
      program: 'unshare',
      args: ['--mount', 'sh', '-c', script, device, ready],
    });
    const isReady = async () => (await lab.host.files.status(ready)) !== null;
    expect(await waitUntil(isReady, 5000)).toBe(true);
    try {
      expect(await refused(['check', device])).toMatchObject({ exitCode: 4 });
    } finally {
      await lab.host.files.removeFile(ready);
      await held;
    }
  });

  it('is an image file that is attached already', async () => {
    const device = await attach(image);
    expect(await refused(['rescue', image, '--exec', 'true'])).toMatchObject({
      exitCode: 4,
      code: 'BUSY',
      message: `${image} is already attached as ${device}.`,
    });
  });

  it('is not an image file whose loop device goes as soon as another program closes it', async () => {
    const own = await leanDisk(lab, 'whole', { name: 'going' });
    const device = (await lab.run('losetup', '--find', '--show', own.file)).trim();
    const opened = await open(device);
    await lab.run('losetup', '--detach', device);
    const name = device.slice('/dev/'.length);
    const backing = `/sys/block/${name}/loop/backing_file`;
    expect(await lab.host.files.readText(backing)).toBe(`${own.file}\n`);
    const checking = lab.start(['check', own.file]);
    const locks = async () => (await lab.sessions()).length > 0;
    expect(await waitUntil(locks, 5000)).toBe(true);
    await opened.close();
    expect(await checking.ended).toMatchObject({ exitCode: 0 });
  });
});

describe('a target that cannot be used', () => {
  it('is not there', async () => {
    expect(await refused(['inspect', '/dev/nosuchdisk'])).toMatchObject({
      exitCode: 2,
      code: 'TARGET_NOT_FOUND',
      message: 'There is no /dev/nosuchdisk on this machine.',
    });
  });

  it('is neither disk, file nor directory', async () => {
    expect(await refused(['inspect', '/dev/null'])).toMatchObject({
      exitCode: 2,
      code: 'TARGET_KIND',
    });
  });

  it('is an empty file, or a disk with nothing on it', async () => {
    const none = await file('none.raw', '0');
    const zeros = await file('zeros.raw', '16M');
    for (const path of [none, zeros]) {
      for (const command of commands) {
        expect(await refused([command, path]), `${command} ${path}`).toMatchObject({
          exitCode: 1,
          code: 'EMPTY',
          message: `${path} is empty: it has no partition table and no file system.`,
        });
      }
    }
  });

  it('is a read-only disk, unless nothing is to be written', async () => {
    const device = await attach(image, '--read-only');
    expect(await refused(['rescue', device, '--exec', 'true'])).toMatchObject({
      exitCode: 1,
      code: 'READ_ONLY',
      message: `${device} is read-only, it cannot be repaired or booted with changes kept.`,
    });
    const before = await lab.state();
    expect((await lab.kit(['inspect', device])).exitCode).toBe(0);
    const tried = await lab.kit(['rescue', device, '--ephemeral', '--exec', 'true']);
    expect(tried.exitCode, tried.stderr).toBe(0);
    await lab.expectAsBefore(before);
  });

  it('is encrypted', async () => {
    const path = await file('luks.raw', '16M');
    // LUKS2's magic, version 2 and header size, as blkid looks for them.
    const header = 'LUKS\\272\\276\\000\\002\\000\\000\\000\\000\\000\\000\\100\\000';
    await lab.run('sh', '-c', `printf '${header}' | dd of="$0" conv=notrunc status=none`, path);
    await lab.run(
      'sh',
      '-c',
      `printf '%s' 11111111-2222-3333-4444-555555555555 | dd of="$0" bs=1 seek=168 conv=notrunc status=none`,
      path,
    );
    for (const command of ['inspect', 'mount'] as const) {
      expect(await refused([command, path])).toMatchObject({
        exitCode: 1,
        // Without cryptsetup nothing can be said about the header.
        ...((await hasProgram('cryptsetup'))
          ? { code: 'ENCRYPTED' }
          : { code: 'MISSING_PROGRAM', message: expect.stringMatching(/LUKS.*cryptsetup/) }),
      });
    }
  });

  it('is a physical volume of LVM', async () => {
    const path = await file('lvm.raw', '16M');
    await writePhysicalVolumeLabel(path);
    expect(await refused(['inspect', path])).toMatchObject({
      exitCode: 1,
      ...((await hasProgram('lvm'))
        ? { code: 'CLOSED_LAYER', message: expect.stringMatching(/is an LVM physical volume/) }
        : { code: 'MISSING_PROGRAM', message: expect.stringMatching(/LVM.*lvm is not installed/) }),
    });
  });

  it('has no Linux on it', async () => {
    const path = await file('fat.raw', '40M');
    await lab.run('mkfs.vfat', path);
    expect(await refused(['inspect', path])).toMatchObject({
      exitCode: 1,
      code: 'NO_SYSTEM',
      message: `No Linux system was found on ${path}.`,
      hint: expect.stringMatching(/vfat/),
    });
  });

  it('is a qcow2 image', async () => {
    const path = await file('disk.qcow2', '1M');
    await lab.run('sh', '-c', `printf 'QFI\\373' | dd of="$0" conv=notrunc status=none`, path);
    expect(await refused(['inspect', path])).toMatchObject({
      exitCode: 1,
      code: 'IMAGE_FORMAT',
      message: expect.stringMatching(/is a qcow2 image/),
      hint: expect.stringMatching(/qemu-img convert/),
    });
  });
});

describe('a target of another session', () => {
  it('is refused while that session is at work', async () => {
    const own = await leanDisk(lab, 'whole', { name: 'at-work' });
    const gate = await makeGate(lab, 'e2fsck', '*');
    const running = lab.start(['check', own.file, '--repair'], { env: gate.env });
    await gate.reached(running);
    expect(await refused(['check', own.file])).toMatchObject({
      exitCode: 4,
      code: 'LOCKED',
      message: expect.stringMatching(/^Session [0-9a-f]+ \(check --repair\) is working on this/),
    });
    await gate.open();
    expect((await running.ended).exitCode).toBe(0);
    expect((await lab.kit(['check', own.file])).exitCode).toBe(0);
  });

  it('is refused while it is mounted', async () => {
    const up = await lab.kit(['mount', image, '--read-only', '--json']);
    const { session } = up.json(mountDocumentSchema);
    expect(await refused(['mount', image])).toMatchObject({
      exitCode: 4,
      code: 'LOCKED',
      message: `This target is mounted by session ${session}.`,
      hint: `Take it down first: rescuekit cleanup ${session}`,
    });
    expect((await lab.kit(['cleanup', session])).exitCode).toBe(0);
  });

  it('is refused when that session was killed, until it is cleaned up', async () => {
    const own = await leanDisk(lab, 'whole', { name: 'killed' });
    const gate = await makeGate(lab, 'e2fsck', '*');
    const running = lab.start(['check', own.file, '--repair'], { env: gate.env });
    await gate.reached(running);
    process.kill(running.pid, 'SIGKILL');
    await running.ended;
    expect(await refused(['check', own.file])).toMatchObject({
      exitCode: 4,
      code: 'LOCKED',
      message: expect.stringMatching(/has ended and left this target in use/),
    });
    expect((await lab.kit(['cleanup'])).exitCode).toBe(0);
    expect((await lab.kit(['check', own.file])).exitCode).toBe(0);
  });
});

describe('the machine', () => {
  it('lets only root work on disks', async () => {
    for (const words of [['inspect', image], ['status'], ['cleanup']]) {
      const through = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
      await lab.run('chmod', '0755', lab.directory);
      expect(await refused(words, { through })).toMatchObject({
        exitCode: 1,
        code: 'NOT_ROOT',
        message: expect.stringMatching(/needs root/),
      });
    }
  });

  it('lacks a program: its package is named before anything is touched', async () => {
    // An own view of /usr/bin in which systemd-nspawn is not there.
    const script =
      'd=$(mktemp -d -p "$0") && mount -t tmpfs none $d && mkdir $d/u $d/w && mount -t overlay -o lowerdir=/usr/bin,upperdir=$d/u,workdir=$d/w none /usr/bin && rm /usr/bin/systemd-nspawn && exec "$@"';
    const through = ['unshare', '--mount', 'sh', '-c', script, lab.directory];
    expect(await refused(['rescue', image, '--exec', 'true'], { through })).toMatchObject({
      exitCode: 1,
      code: 'MISSING_PROGRAM',
      message: expect.stringMatching(/systemd-nspawn/),
      hint: expect.stringMatching(/systemd-container/),
    });
  });
});

describe('a command line that is refused before anything runs', () => {
  it.each([
    ['an unknown option', ['inspect', 'IMAGE', '--frobnicate'], /frobnicate/],
    ['an unknown command', ['frobnicate'], /frobnicate/],
    ['no target', ['inspect'], /TARGET|argument/],
    ['two targets', ['inspect', 'IMAGE', 'IMAGE'], /./],
    ['a size that is none', ['rescue', 'IMAGE', '--exec', 'true', '--memory', 'much'], /--memory/],
    ['too little memory', ['rescue', 'IMAGE', '--exec', 'true', '--memory', '1M'], /--memory/],
    ['tasks that are no number', ['rescue', 'IMAGE', '--exec', 'x', '--tasks', 'few'], /--tasks/],
    ['an unknown network', ['rescue', 'IMAGE', '--exec', 'x', '--network', 'lan'], /--network/],
    [
      'a bad port',
      ['rescue', 'IMAGE', '--exec', 'x', '--network', 'veth', '--port', '0:22'],
      /--port/,
    ],
    ['a port without a network', ['rescue', 'IMAGE', '--exec', 'x', '--port', '22:22'], /--port/],
    ['a bad unit', ['rescue', 'IMAGE', '--exec', 'x', '--target', '../x'], /--target|unit/],
    ['a relative bind', ['rescue', 'IMAGE', '--exec', 'x', '--bind', 'here'], /--bind/],
    ['a bind of nothing', ['rescue', 'IMAGE', '--exec', 'x', '--bind', '/no/such'], /--bind/],
    ['a bad variable', ['rescue', 'IMAGE', '--exec', 'x', '--setenv', '1=2'], /--setenv/],
    ['a bad machine name', ['rescue', 'IMAGE', '--exec', 'x', '--machine', 'a b'], /--machine/],
    ['an empty command', ['rescue', 'IMAGE', '--exec', ''], /exec/],
    ['two things to run', ['rescue', 'IMAGE', '--exec', 'x', '--script', '/etc/passwd'], /exclude/],
    ['a script that is not there', ['rescue', 'IMAGE', '--script', '/no/such'], /--script/],
    [
      'a unit without an init',
      ['rescue', 'IMAGE', '--as-pid2', 'x', '--target', 'a.target'],
      /--target/,
    ],
    [
      'repair that is not kept',
      ['rescue', 'IMAGE', '--exec', 'x', '--ephemeral', '--repair'],
      /--ephemeral/,
    ],
    ['repair of what is read-only', ['mount', 'IMAGE', '--read-only', '--repair'], /--read-only/],
    ['a last resort without repair', ['check', 'IMAGE', '--xfs-zero-log'], /--repair|repair/],
    ['a bad superblock', ['check', 'IMAGE', '--repair', '--backup-superblock', '-3'], /./],
    ['a format without a transcript', ['status', '--format', 'script'], /--format/],
    ['a session that is not there', ['cleanup', 'ffff'], /There is no session ffff/],
    ['a transcript that is not there', ['status', '--transcript', '../..'], /There is no session/],
    [
      'a system that is not there',
      ['rescue', 'IMAGE', '--exec', 'x', '--system', 'vdz9'],
      /no system vdz9/,
    ],
    ['a shell without a terminal', ['rescue', 'IMAGE'], /no terminal/],
  ] as const)('%s', async (_, words, message) => {
    const given = words.map((word) => (word === 'IMAGE' ? image : word));
    const error = await answerTo(given);
    expect(error.exitCode, error.message).toBe(2);
    expect(error.message).toMatch(message);
  });

  it('touches nothing in any of these cases', async () => {
    expect(await lab.sum(image)).toBe(sum);
    await lab.expectAsBefore();
  });
});
