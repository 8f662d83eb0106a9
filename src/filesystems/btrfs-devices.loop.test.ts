import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { stackDisks } from '../../fixtures/stacks/stack-disks.ts';
import { checkDocumentSchema } from '../commands/check.ts';
import { inspectDocumentSchema } from '../commands/inspect.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';

let lab: Lab;
let files: readonly string[] = [];

beforeEach(async () => {
  lab = await openLab();
  files = (await stackDisks(lab.host, 'btrfs-raid1', lab.directory)).files;
});
afterEach(() => lab.close());

const runs = async (words: readonly string[], exitCode = 0) => {
  const before = await lab.state();
  const answer = await lab.kit([...words, '--json']);
  expect(answer.exitCode, `${words.join(' ')}: ${answer.stdout}${answer.stderr}`).toBe(exitCode);
  await lab.expectAsBefore(before);
  return answer;
};

/** Runs a command and makes sure that not one byte of the disks changes. */
const untouched = async (words: readonly string[], exitCode = 0) => {
  const sums = () => Promise.all(files.map(lab.sum));
  const before = await sums();
  const answer = await runs(words, exitCode);
  expect(await sums(), `${words.join(' ')} has written`).toEqual(before);
  return answer;
};

/** Shows an image as a disk of the machine until the lab is closed. */
const attach = async (file: string, ...options: readonly string[]): Promise<string> => {
  const device = (await lab.run('losetup', '--find', '--show', ...options, file)).trim();
  lab.later(async () => {
    await lab.run('btrfs', 'device', 'scan', '--forget', device);
    await lab.run('losetup', '--detach', device);
  });
  return device;
};

const copyOf = async (file: string): Promise<string> => {
  await lab.run('cp', '--sparse=always', file, `${file}.copy`);
  return `${file}.copy`;
};

const first = (): string => files[0] ?? '';
const second = (): string => files[1] ?? '';

/** Mounts something in a directory of the lab until the lab is closed. */
const mounted = async (device: string, ...options: readonly string[]): Promise<string> => {
  const path = (await lab.run('mktemp', '--directory', `${lab.directory}/mnt.XXXX`)).trim();
  await lab.run('mount', '--options', ['ro', ...options].join(','), device, path);
  lab.later(() => lab.run('umount', path));
  return path;
};

describe('a btrfs over two disks', () => {
  it('is one system with its subvolumes when both are named', async () => {
    const answer = await untouched(['inspect', first(), '--with', second()]);
    const { systems } = answer.json(inspectDocumentSchema);
    expect(systems.map(({ hostname, subvolume }) => [hostname, subvolume])).toEqual([
      ['web-3', '@'],
    ]);
    const [system] = systems;
    expect(system?.mounts.map(({ target, state }) => [target, state])).toEqual([
      ['/', 'mount'],
      ['/home', 'mount'],
    ]);
    expect(system?.mounts[1]?.device).toBe(system?.mounts[0]?.device);
  });

  it('is checked once', async () => {
    const answer = await untouched(['check', first(), '--with', second()]);
    const { results } = answer.json(checkDocumentSchema);
    expect(results.map(({ fsType, outcome }) => [fsType, outcome])).toEqual([['btrfs', 'clean']]);
  });

  it('is booted with both', async () => {
    const script = 'findmnt -rno FSTYPE /home; touch /home/kept';
    const answer = await runs(['rescue', first(), '--with', second(), '--exec', script]);
    expect(answer.json(rescueDocumentSchema)).toMatchObject({
      reachedTarget: true,
      exec: { exitCode: 0, stdout: 'btrfs\n' },
    });
    await untouched(['check', second(), '--with', first()]);
  });

  it('draws in the other disk when that is attached', async () => {
    const [device] = [await attach(first()), await attach(second())];
    const { results } = (await untouched(['check', device])).json(checkDocumentSchema);
    expect(results).toMatchObject([{ device, outcome: 'clean' }]);
  });

  it('leaves the kernel with the list of devices that it had', async () => {
    const device = await attach(first());
    await attach(second());
    const before = await lab.state();
    const up = await lab.kit(['mount', device, '--json']);
    expect(up.exitCode, up.stdout + up.stderr).toBe(0);
    expect((await lab.kit(['cleanup', '--json'])).exitCode).toBe(0);
    await lab.expectAsBefore(before);
    // From its list alone it cannot mount the file system: it does not know the other disk.
    await expect(mounted(device)).rejects.toThrow();
  });

  it('draws in none of two copies of the other disk', async () => {
    const [device, other] = [await attach(first()), await attach(second())];
    const copy = await attach(await copyOf(second()), '--read-only');
    const answer = await untouched(['inspect', device], 2);
    expect(answer.error()).toMatchObject({ code: 'DEGRADED' });
    expect(answer.error().message).toContain(`${other}, ${copy} are copies`);
    const named = await untouched(['check', device, '--with', other]);
    expect(named.json(checkDocumentSchema).results).toMatchObject([{ device, outcome: 'clean' }]);
  });
});

describe('a btrfs with one of two disks missing', () => {
  it('stays closed without the person’s word, and says what opens it', async () => {
    const { code, message, hint } = (await untouched(['inspect', first()], 2)).error();
    expect(code).toBe('DEGRADED');
    expect(message).toContain('1 of its 2 devices is missing');
    expect(hint).toContain('--degraded');
  });

  it('is looked into with --degraded, and nothing is written', async () => {
    const answer = await untouched(['inspect', second(), '--degraded']);
    expect(answer.json(inspectDocumentSchema).systems).toMatchObject([{ hostname: 'web-3' }]);
    const { results } = (await untouched(['check', second(), '--degraded'])).json(
      checkDocumentSchema,
    );
    expect(results).toMatchObject([{ outcome: 'clean' }]);
  });

  it('is tried with nothing kept, and booted for good', async () => {
    const rescue = ['rescue', second(), '--degraded', '--exec', 'touch /home/kept'];
    const tried = await untouched([...rescue, '--ephemeral']);
    expect(tried.json(rescueDocumentSchema).reachedTarget).toBe(true);
    const done = await runs(rescue);
    expect(done.json(rescueDocumentSchema)).toMatchObject({
      reachedTarget: true,
      exec: { exitCode: 0 },
    });
  });
});

describe('a clone of a btrfs over two disks', () => {
  it('is used, and not the original, when nobody has that mounted', async () => {
    const original = [await attach(first()), await attach(second())];
    const copies = [await copyOf(first()), await copyOf(second())] as const;
    await lab.run('btrfs', 'device', 'scan', ...original);
    const before = await Promise.all(files.map(lab.sum));
    const [device, other] = [await attach(copies[0]), await attach(copies[1])];
    await runs(['rescue', device, '--with', other, '--exec', 'echo cloned > /home/mark']);
    expect(await Promise.all(files.map(lab.sum))).toEqual(before);
    const look = ['rescue', device, '--with', other, '--ephemeral', '--exec', 'cat /home/mark'];
    const answer = await runs(look);
    expect(answer.json(rescueDocumentSchema).exec?.stdout).toBe('cloned\n');
  });

  it('is refused while the original is mounted', async () => {
    const original = [await attach(first()), await attach(second())];
    const copies = [await copyOf(first()), await copyOf(second())] as const;
    await mounted(original[0] ?? '', ...original.map((node) => `device=${node}`));
    const before = await lab.state();
    const answer = await lab.kit(['inspect', copies[0], '--with', copies[1], '--json']);
    expect(answer.error().message).toContain('no tool keeps them apart');
    await lab.expectAsBefore(before);
  });
});

describe('a clone of a btrfs on one disk', () => {
  let disk = '';
  beforeEach(async () => {
    disk = (await stackDisks(lab.host, 'btrfs-subvolumes', lab.directory)).files[0] ?? '';
    files = [disk];
  });

  it('is worked on while the original is mounted, and the original stays as it is', async () => {
    const copy = await copyOf(disk);
    const path = await mounted(await attach(disk));
    const { systems } = (await untouched(['inspect', copy])).json(inspectDocumentSchema);
    expect(systems).toMatchObject([{ hostname: 'web-3', subvolume: 'systems/web-3' }]);
    const mark = ['--exec', 'echo cloned > /mark; cat /mark'];
    const answer = await untouched(['rescue', copy, '--rename-clone', ...mark]);
    expect(answer.json(rescueDocumentSchema)).toMatchObject({
      reachedTarget: true,
      exec: { stdout: 'cloned\n' },
    });
    expect(await lab.host.files.status(`${path}/systems/web-3/mark`)).toBeNull();
  });

  it('is worked on beside the original when nobody has either mounted', async () => {
    await attach(disk);
    const copy = await attach(await copyOf(disk));
    const answer = await untouched(['rescue', copy, '--exec', 'echo cloned > /mark; cat /mark']);
    expect(answer.json(rescueDocumentSchema)).toMatchObject({ exec: { stdout: 'cloned\n' } });
  });
});

describe('a system at the top of a btrfs whose default subvolume is another', () => {
  it('is mounted at the top', async () => {
    const disk = (await stackDisks(lab.host, 'btrfs-subvolumes', lab.directory)).files[0] ?? '';
    files = [disk];
    const device = await attach(disk);
    const path = (await lab.run('mktemp', '--directory', `${lab.directory}/mnt.XXXX`)).trim();
    await lab.run('mount', device, path);
    await lab.run('sh', '-c', `cd ${path} && cp -a systems/web-3/. . && echo top > etc/hostname`);
    await lab.run('btrfs', 'subvolume', 'set-default', `${path}/logs`);
    await lab.run('btrfs', 'subvolume', 'delete', `${path}/systems/web-3`);
    await lab.run('umount', path);
    const { systems } = (await untouched(['inspect', device])).json(inspectDocumentSchema);
    expect(systems).toMatchObject([{ hostname: 'top', subvolume: null }]);
    const answer = await runs(['rescue', device, '--exec', 'cat /etc/hostname']);
    expect(answer.json(rescueDocumentSchema).exec?.stdout).toBe('top\n');
  });
});
