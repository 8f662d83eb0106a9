import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { leanDisk } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { keys, openTerminal, type TestTerminal } from '../../fixtures/terminal.ts';
import { identify } from '../host/processes.ts';
import { waitUntil } from '../host/wait.ts';

let lab: Lab;
let device = '';
let image = '';
let before: Awaited<ReturnType<Lab['state']>>;
const terminals: TestTerminal[] = [];

const attach = async (file: string): Promise<string> => {
  const path = (await lab.run('losetup', '--find', '--show', file)).trim();
  lab.later(() => lab.run('losetup', '--detach', path));
  return path;
};

beforeAll(async () => {
  lab = await openLab();
  const disk = await leanDisk(lab, 'separate', { extraFstab: [missingDisk] });
  image = disk.file;
  device = await attach(image);
  // Partitions that rescuekit finds it leaves, those that it adds it takes away.
  before = await lab.state();
});
afterEach(async () => {
  for (const terminal of terminals.splice(0)) {
    terminal.kill('SIGHUP');
  }
  await lab.expectAsBefore(before);
});
afterAll(() => lab.close());

const missingDisk = 'UUID=5c0ffee5-0000-4000-8000-00000000dead /data ext4 defaults 0 2';

type Start = {
  readonly env?: Readonly<Record<string, string>>;
  readonly words?: readonly string[];
  /** Shell words that run on the terminal first. */
  readonly first?: string;
};

const start = ({ env = {}, words = [], first = 'true' }: Start = {}): TestTerminal => {
  const bundle = join(lab.directory, 'bundle/rescuekit.mjs');
  const own = [process.execPath, bundle, '--state-dir', lab.stateDirectory, ...words];
  const terminal = openTerminal('/bin/sh', ['-c', `${first}; exec "$@"`, 'sh', ...own], {
    columns: 80,
    rows: 24,
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm', LANG: 'C.UTF-8', ...env },
  });
  terminals.push(terminal);
  return terminal;
};

/** The questions of the walk in their order, with the keys that answer them harmlessly. */
const questions = [
  { name: 'the disk', text: 'Which disk needs the rescue?', answer: () => `${device} \r` },
  { name: 'the system', text: 'Is this the system to rescue?  (Y)', answer: () => 'y' },
  { name: 'the check', text: 'Go on?  (Y)', answer: () => 'y' },
  { name: 'the diagnosis', text: 'Go on?  (Y)', answer: () => 's' },
  { name: 'what to work on', text: 'Work on what?  (d)', answer: () => keys.enter },
  { name: 'the mount', text: 'Go on?  (Y)', answer: () => keys.enter },
  { name: 'the boot', text: 'Go on?  (Y)', answer: () => keys.enter },
] as const;

type QuestionName = (typeof questions)[number]['name'];

/** Answers every question before the named one, and waits until that one stands there. */
const walkTo = async (terminal: TestTerminal, name: QuestionName): Promise<void> => {
  for (const question of questions) {
    await terminal.see(question.text);
    if (question.name === name) return;
    terminal.press(question.answer());
  }
};

describe('the guided walk', () => {
  it('goes from the disk to the shell and back, and says that the disk is safe to detach', async () => {
    const terminal = start();
    await walkTo(terminal, 'the system');
    expect(terminal.text()).toContain('/data is named in its fstab');
    terminal.press('y');
    await terminal.see('Next: check the file systems of web-3');
    expect(await terminal.see('Go on?  (Y)')).toMatch(/Why: .*\n {4}Risk: none/);
    terminal.press('e');
    await terminal.see('A check reads the metadata');
    await terminal.see('Go on?  (Y)');
    terminal.press('y');
    await terminal.see('Next: look for what keeps web-3 from booting');
    await terminal.see('Go on?  (Y)');
    terminal.press('y');
    await terminal.see('fstab.missing-device');
    await terminal.see('Repair it?  (y)');
    terminal.press('y');
    await terminal.see('nofail');
    await terminal.see('Make these changes on the disk?');
    terminal.press(keys.enter);
    await terminal.see('Work on what?  (d)');
    terminal.press('d');
    await terminal.see('Next: mount web-3');
    expect(await terminal.see('Go on?  (Y)')).toContain('--options rw,');
    terminal.press(keys.enter);
    await terminal.see('Next: boot web-3 into rescue.target');
    await terminal.see('Go on?  (Y)');
    terminal.press(keys.enter);
    await terminal.see('You are root on web-3');
    await terminal.see('# ');
    terminal.press('hostname; echo one > /root/left; echo $((40 + 2))\r');
    expect(await terminal.see('\n42')).toContain('\nweb-3');
    terminal.press('exit\r');
    await terminal.see('Done.');
    const last = await terminal.see(`${device} is safe to detach.`);
    expect(last).toMatch(/Booted web-3 in .*What you changed is on the\s+disk\./);
    await terminal.see('rescuekit status --transcript');
    expect(await terminal.ended).toBe(0);
    // No line is longer than the screen but those of the container's own programs.
    const own = terminal.text().split('You are root on')[0] ?? '';
    expect(own.split('\n').filter((line) => line.length > 80 && !line.includes('dir='))).toEqual(
      [],
    );
  });

  it('keeps nothing of a throwaway copy: Enter alone leads through, and the disk stays as it is', async () => {
    const sum = await lab.sum(image);
    const terminal = start();
    await walkTo(terminal, 'the boot');
    terminal.press(keys.enter);
    await terminal.see('THROWAWAY COPY');
    await terminal.see('# ');
    terminal.press('rm -rf /etc/fstab; echo gone > /root/left; exit\r');
    expect(await terminal.see('safe to detach')).toContain('Nothing of it was kept.');
    expect(await terminal.ended).toBe(0);
    expect(await lab.sum(image)).toBe(sum);
  });

  it('rehearses: shows what was changed and that it boots, asks, and drops it', async () => {
    const sum = await lab.sum(image);
    const terminal = start();
    await walkTo(terminal, 'what to work on');
    terminal.press('r');
    await terminal.see('Rehearsal: ');
    await terminal.see('You are root on web-3');
    await terminal.see('# ');
    expect(terminal.raw()).toContain('until you decide.\r\n');
    terminal.press('echo tried > /root/tried; exit\r');
    expect(await terminal.see('What becomes of it?')).toContain('+ tried');
    expect(terminal.text()).toContain('It boots: watched in a container');
    terminal.press('d');
    await terminal.see('The layer is dropped.');
    await terminal.see('Nothing is left attached or mounted.');
    expect(await terminal.ended).toBe(0);
    expect(await lab.sum(image)).toBe(sum);
  });

  it('leads back to the list when it was the wrong disk, and then knows what is on it', async () => {
    const terminal = start();
    await walkTo(terminal, 'the system');
    terminal.press('o');
    expect(await terminal.see('Which disk needs the rescue?')).toContain('"web-3"');
    terminal.press('Leave\r');
    expect(await terminal.ended).toBe(0);
  });

  it('takes an image file by its name, and says what is wrong with a name that is none', async () => {
    await lab.run('cp', '--sparse=always', image, join(lab.directory, 'other.raw'));
    const terminal = start();
    await terminal.see('Which disk needs the rescue?');
    terminal.press('Name\r');
    await terminal.see('Path (empty');
    terminal.press('/no/such/file\r');
    await terminal.see('There is no /no/such/file');
    terminal.press(`${'\u007f'.repeat(13)}${lab.directory}/other.raw\r`);
    await terminal.see('Is this the system to rescue?  (Y)');
    terminal.press('q');
    await terminal.see('other.raw is free again.');
    expect(await terminal.ended).toBe(0);
  });

  it('shows protected disks, and refuses to choose one', async () => {
    const terminal = start();
    await terminal.see('Which disk needs the rescue?');
    expect(await terminal.see('Esc leaves')).toContain("protected: this machine's own disk");
    terminal.press(keys.down.repeat(60));
    terminal.press(keys.enter);
    await terminal.see('This one cannot be chosen.');
    terminal.press(keys.escape);
    expect(await terminal.ended).toBe(130);
  });

  it('mends what it finds after showing it, and says how to take that back', async () => {
    const disk = join(lab.directory, 'mended.raw');
    await lab.run('cp', '--sparse=always', image, disk);
    // A disk whose partitions the kernel does not know: they come and go with the session.
    const loop = (await lab.run('losetup', '--find', '--show', disk)).trim();
    const terminal = start();
    await terminal.see('Which disk needs the rescue?');
    terminal.press(`${loop} \r`);
    await terminal.see('Is this the system to rescue?  (Y)');
    terminal.press('y');
    await terminal.see('Go on?  (Y)');
    terminal.press('s');
    await terminal.see('Next: look for what keeps web-3 from booting');
    await terminal.see('Go on?  (Y)');
    terminal.press('y');
    await terminal.see('Repair it?  (y)');
    terminal.press('y');
    await terminal.see('Make these changes on the disk?');
    terminal.press('y');
    await terminal.see('No finding is left.');
    await terminal.see('Work on what?  (d)');
    terminal.press('q');
    const last = await terminal.see('rescuekit verify');
    const session = /rescuekit undo ([0-9a-f]{4})/.exec(last)?.[1] ?? '';
    expect(await terminal.ended).toBe(0);
    expect((await lab.kit(['diagnose', loop, '--skip-check'])).exitCode).toBe(0);
    expect((await lab.kit(['undo', session])).stdout).toContain('/etc/fstab');
    expect((await lab.kit(['diagnose', loop, '--skip-check'])).exitCode).toBe(3);
    await lab.run('losetup', '--detach', loop);
  });

  it('leaves a mounted system alone until it is told to take it down', async () => {
    const terminal = start();
    await walkTo(terminal, 'the boot');
    terminal.press('s');
    await terminal.see('It is mounted at ');
    const path = (await terminal.see('\n')).trim();
    expect(await lab.run('cat', `${path}/etc/hostname`)).toContain('web-3');
    await terminal.see('Take everything down now?  (Y)');
    terminal.press('y');
    await terminal.see('safe to detach');
    expect(await terminal.ended).toBe(0);
  });
});

describe('the person who wants to stop', () => {
  const stops = questions.flatMap(({ name }) =>
    (['controlC', 'escape'] as const).map((key) => [key, name] as const),
  );
  it.each(stops)('by %s at the question about %s is out, with nothing left', async (key, name) => {
    const terminal = start();
    await walkTo(terminal, name);
    terminal.press(keys[key]);
    await terminal.see('Stopped.');
    expect(await terminal.ended).toBe(130);
  });

  it.each(['controlC', 'escape'] as const)('by %s ends a check that is running', async (key) => {
    const slow = join(lab.directory, `slow-${key}`);
    await lab.host.files.makeDirectory(slow, 0o700);
    const script = `#!/bin/sh\n: >${slow}/called\nexec sleep 600\n`;
    await lab.host.files.writeText(`${slow}/e2fsck`, script, 0o755);
    const terminal = start({ env: { PATH: `${slow}:${process.env.PATH ?? ''}` } });
    await walkTo(terminal, 'the check');
    terminal.press('y');
    const isCalled = async () => (await lab.host.files.status(`${slow}/called`)) !== null;
    expect(await waitUntil(isCalled, 20_000)).toBe(true);
    terminal.press(keys[key]);
    await terminal.see('Stopped. Everything is taken down.');
    expect(await terminal.ended).toBe(130);
  });

  it('by a signal from outside is out as well', async () => {
    const terminal = start();
    await walkTo(terminal, 'the boot');
    terminal.kill('SIGTERM');
    await terminal.see('Stopped.');
    expect(await terminal.ended).toBe(130);
  });

  it.each(['at a question', 'in the shell'])(
    'loses the terminal %s, and all comes down',
    async (place) => {
      const terminal = start();
      await walkTo(terminal, 'the boot');
      if (place === 'in the shell') {
        terminal.press('y');
        await terminal.see('You are root on web-3');
        await terminal.see('# ');
      }
      terminal.hangUp();
      const isGone = async () => (await identify(lab.host.files, terminal.pid)) === null;
      expect(await waitUntil(isGone, 20_000)).toBe(true);
      expect((await lab.kit(['status'])).stdout).not.toContain('killed');
    },
  );
});

describe('on a terminal that can do little', () => {
  it('TERM=dumb in a plain locale gets lines of ASCII without one control sequence', async () => {
    const terminal = start({ env: { TERM: 'dumb', LANG: 'C', NO_COLOR: '1' } });
    const list = await terminal.see('Which disk needs the rescue? (number, then Enter)');
    const number = new RegExp(` (\\d+) ${device} `).exec(list)?.[1] ?? '';
    terminal.press('x\u007f77\r');
    await terminal.see('Give a number from 1 to');
    await terminal.see('(number, then Enter)');
    terminal.press(`${number}\r`);
    for (const { text, answer } of questions.slice(1)) {
      await terminal.see(text);
      terminal.press(answer());
    }
    await terminal.see('THROWAWAY');
    const own = terminal.raw();
    expect(own.replaceAll(/[\r\n\b -~]/g, '')).toBe('');
    await terminal.see('# ');
    terminal.press('exit\r');
    await terminal.see('safe to detach');
    expect(await terminal.ended).toBe(0);
  });

  it('0 columns, as on a serial console, are taken for 80', async () => {
    const terminal = start({ first: 'stty cols 0 rows 0' });
    await walkTo(terminal, 'what to work on');
    terminal.press('q');
    await terminal.see('Nothing was changed.');
    expect(await terminal.ended).toBe(0);
  });

  it('NO_COLOR leaves no colour behind', async () => {
    const terminal = start({ env: { NO_COLOR: '1' } });
    await walkTo(terminal, 'what to work on');
    terminal.press('q');
    expect(await terminal.ended).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
    expect(terminal.raw()).not.toMatch(/\u001b\[(3[0-7]|9[0-7]|[12])m/);
  });

  it('a plain locale gets ASCII where a spinner runs, too', async () => {
    const terminal = start({ env: { LANG: 'C' } });
    await walkTo(terminal, 'what to work on');
    terminal.press('q');
    expect(await terminal.ended).toBe(0);
    expect(terminal.text().replaceAll(/[\n -~]/g, '')).toBe('');
  });
});

describe('a damaged disk', () => {
  const isIt = 'Is this the system to rescue?  (Y)';
  const noCut = 'conv=notrunc';
  const offsetOf = async (file: string, mount: string): Promise<number> => {
    const disk = await leanDisk(lab, 'separate', { name: 'sizes', extraFstab: [missingDisk] });
    const made = disk.partitions.find((partition) => partition.mount === mount);
    expect(file).not.toBe(disk.file);
    return made?.startBytes ?? 0;
  };
  const damagedDisk = async (name: string, request: string): Promise<string> => {
    const file = join(lab.directory, `${name}.raw`);
    await lab.run('cp', '--sparse=always', image, file);
    const place = `${file}?offset=${await offsetOf(file, '/var')}`;
    await lab.run('debugfs', '-w', '-R', request, place);
    return file;
  };
  const openPath = async (file: string, first: string): Promise<TestTerminal> => {
    const terminal = start();
    await terminal.see('Which disk needs the rescue?');
    terminal.press('Name\r');
    await terminal.see('Path (empty');
    terminal.press(`${file}\r`);
    await terminal.see(first);
    terminal.press('y');
    return terminal;
  };

  it('is not repaired by Enter, and then only booted as a throwaway copy', async () => {
    const file = await damagedDisk('unrepaired', 'set_super_value free_inodes_count 5');
    const sum = await lab.sum(file);
    const terminal = await openPath(file, isIt);
    await terminal.see('Go on?  (Y)');
    terminal.press('y');
    await terminal.see('Next: repair /dev/loop');
    expect(await terminal.see('Repair?  (y)')).toContain('e2fsck -f -y');
    terminal.press(keys.enter);
    await terminal.see('Go on?  (Y)');
    terminal.press('s');
    await terminal.see('A damaged file system is not mounted for writing.');
    await terminal.see('Next: mount web-3 as a throwaway copy');
    await terminal.see('Go on?  (Y)');
    terminal.press('q');
    await terminal.see('1 damaged');
    expect(await terminal.ended).toBe(0);
    expect(await lab.sum(file)).toBe(sum);
  });

  it('is repaired on the word of the person, and says how to take that back', async () => {
    const terminal = await openPath(await damagedDisk('repaired', 'clri <12>'), isIt);
    await terminal.see('Go on?  (Y)');
    terminal.press('y');
    await terminal.see('Repair?  (y)');
    terminal.press('y');
    await terminal.see('repaired');
    await terminal.see('Go on?  (Y)');
    terminal.press('s');
    await terminal.see('Work on what?  (d)');
    terminal.press('q');
    await terminal.see('1 repaired');
    await terminal.see('e2undo ');
    expect(await terminal.ended).toBe(0);
  });

  it('without its group descriptors is found again after the last resort, which is a question of its own', async () => {
    const whole = (await leanDisk(lab, 'whole')).file;
    // mke2fs gives a file system of this size blocks of 1 KiB: the descriptors follow at 2048.
    await lab.run('dd', 'if=/dev/zero', `of=${whole}`, 'bs=1024', 'seek=2', 'count=1', noCut);
    const terminal = await openPath(whole, 'Go on?  (Y)');
    await terminal.see('Repair?  (y)');
    terminal.press('y');
    await terminal.see('Next: the last resort for /dev/loop');
    expect(await terminal.see('Do it?  (y)')).toMatch(/e2fsck .*-b BLOCK/);
    terminal.press('y');
    await terminal.see('Is this the system to rescue?  (Y)');
    terminal.press('y');
    await terminal.see('Go on?  (Y)');
    terminal.press('s');
    await terminal.see('Work on what?  (d)');
    terminal.press('q');
    await terminal.see('1 repaired');
    expect(await terminal.ended).toBe(0);
  });
});
