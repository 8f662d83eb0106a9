import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { leanDisk, withMounted } from '../../fixtures/lean-disk.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';

let lab: Lab;
let image = '';

beforeAll(async () => {
  lab = await openLab();
  image = (await leanDisk(lab, 'whole')).file;
});
afterEach(() => lab.expectAsBefore());
afterAll(() => lab.close());

type Document = z.infer<typeof rescueDocumentSchema>;

const rescue = async (command: string, ...options: readonly string[]): Promise<Document> => {
  const words = ['rescue', image, '--json', '--skip-check', '--ephemeral', ...options];
  return (await lab.kit([...words, '--exec', command])).json(rescueDocumentSchema);
};

const output = async (command: string, ...options: readonly string[]): Promise<string> => {
  const { exec } = await rescue(command, ...options);
  return `${exec?.stdout}${exec?.stderr}`;
};

const refused = async (...options: readonly string[]): Promise<string> => {
  const answer = await lab.kit(['rescue', image, '--json', '--exec', 'true', ...options]);
  expect(answer.exitCode, answer.stderr).toBe(2);
  return answer.error().message;
};

const interfaces = "ls /sys/class/net | tr '\\n' ' '";

describe('the network of the container', () => {
  it('is nothing but a loopback unless asked for', async () => {
    expect(await output(interfaces)).toBe('lo ');
  });

  it('is a pair of interfaces with veth, bridge and zone, which are gone afterwards', async () => {
    await lab.run('ip', 'link', 'add', 'rktest0', 'type', 'bridge');
    try {
      for (const network of ['veth', 'bridge:rktest0', 'zone:rkz']) {
        expect(await output(interfaces, '--network', network), network).toBe('host0 lo ');
      }
    } finally {
      await lab.run('ip', 'link', 'delete', 'rktest0');
    }
    expect(await lab.run('ls', '/sys/class/net')).not.toMatch(/^(ve-|vb-|vz-|rktest)/m);
  });

  it('is the one of this machine with host', async () => {
    const here = (await lab.run('ls', '/sys/class/net')).trim().split('\n').join(' ');
    expect((await output(interfaces, '--network', 'host')).trim()).toBe(here);
  });

  it('is refused before anything is touched when there is no such bridge', async () => {
    expect(await refused('--network', 'bridge:rknone')).toContain('no bridge of that name');
  });
});

describe('what is shown inside', () => {
  it('is a path with spaces, colons and backslashes, read-only when asked for', async () => {
    const source = `${lab.directory}/a b:c\\d`;
    await lab.run('mkdir', source);
    const escaped = source.replaceAll(/[:\\]/g, '\\$&');
    expect(await output('touch /mnt/x && echo made', '--bind', `${escaped}:/mnt`)).toBe('made\n');
    expect(await lab.run('ls', source)).toBe('x');
    const readOnly = await output('rm /mnt/x || true', '--bind-ro', `${escaped}:/mnt`);
    expect(readOnly).toContain('Read-only file system');
  });

  it('is every --setenv for the command, as it was written', async () => {
    const value = `it's "$HOME" \`id\`\n*`;
    expect(await output('printf %s "$A"', '--setenv', `A=${value}`)).toBe(value);
    const other = ['--target', 'multi-user.target', '--setenv', 'A=b'];
    expect(await output('printf %s "$A"', ...other)).toBe('b');
  });

  it('is this machine’s resolv.conf with --resolv-conf, and not on the disk', async () => {
    const here = await lab.run('cat', '/etc/resolv.conf');
    expect(await output('cat /etc/resolv.conf', '--resolv-conf', 'copy-host')).toBe(`${here}\n`);
  });
});

describe('limits', () => {
  it('hold for processes', async () => {
    const bomb = 'for i in $(seq 200); do sleep 60 & done';
    expect(await output(bomb, '--tasks', '64')).toMatch(/[Cc]annot fork/);
  });

  it('hold for memory', async () => {
    const eat = 'head -c 300M /dev/zero | tail -c 250M >/dev/null; echo "end $?"';
    const limited = await output(eat, '--memory', '128M');
    expect(limited).toMatch(/Killed|end [1-9]/);
    expect(await output(eat)).toBe('end 0\n');
  });
});

describe('a unit to boot into', () => {
  it('is reached with its services, and the system ends cleanly', async () => {
    const { boot, exec } = await rescue(
      'systemctl is-active dbus',
      '--target',
      'multi-user.target',
    );
    expect(boot).toMatchObject({ reachedTarget: true, failedUnits: [], nspawnExitCode: 0 });
    expect(exec?.stdout).toBe('active\n');
  });

  it('is refused before the boot when the system has none of that name', async () => {
    expect(await refused('--target', 'nope.target')).toContain('has no unit nope.target');
  });
});

describe('a command', () => {
  it('gives back each exit status', async () => {
    for (const status of [0, 1, 77, 255]) {
      expect((await rescue(`exit ${status}`)).exec?.exitCode).toBe(status);
    }
  });

  it('has no input, and its output comes back without a line end where it has none', async () => {
    expect(await output('cat; tty; printf end')).toBe('not a tty\nend');
  });

  it('passes every byte on to standard output, ten megabytes of them too', async () => {
    const command = 'head -c 10485759 /dev/zero; printf x';
    const plain = await lab.kit([
      'rescue',
      image,
      '--skip-check',
      '--ephemeral',
      '--exec',
      command,
    ]);
    expect(plain.exitCode).toBe(0);
    expect(plain.stdout.length).toBe(10485760);
    expect((await rescue(command)).exec?.truncated).toBe(true);
  });

  it('that is not valid UTF-8 still makes one JSON document', async () => {
    expect(await output("printf '\\377a\\376'")).toBe('\ufffda\ufffd');
  });

  it('that kills its own shell has the status that shells give for it', async () => {
    expect((await rescue('kill -9 $$')).exec?.exitCode).toBe(137);
  });

  it('that leaves processes behind does not keep the system from ending', async () => {
    expect(await output('sleep 600 & setsid sleep 600 & echo done')).toBe('done\n');
  });

  it.each(['poweroff', 'reboot'])(
    'that says %s in the middle ends the system, once',
    async (word) => {
      const { error, exec, reachedTarget, cleanedUp } = await rescue(
        `systemctl ${word}; sleep 600`,
      );
      expect({ exec, reachedTarget, cleanedUp }).toEqual({
        exec: null,
        reachedTarget: true,
        cleanedUp: true,
      });
      expect(error?.message).toContain('ended before the command did');
    },
  );

  it('from a script file is run by the interpreter that the file names', async () => {
    const file = `${lab.directory}/script`;
    await lab.host.files.writeText(file, '#!/usr/bin/perl\nprint "perl\\n"; exit 3;\n', 0o600);
    const answer = await lab.kit(['rescue', image, '--json', '--ephemeral', '--script', file]);
    expect(answer.json(rescueDocumentSchema).exec).toMatchObject({ exitCode: 3, stdout: 'perl\n' });
  });

  it('runs without an init of the system with --as-pid2', async () => {
    const words = ['rescue', image, '--json', '--ephemeral', '--as-pid2', 'cat /proc/1/comm'];
    const { exec, reachedTarget } = (await lab.kit(words)).json(rescueDocumentSchema);
    expect(exec?.stdout).toContain('stubinit');
    expect(reachedTarget).toBeNull();
  });
});

describe('several throwaway boots of one image', () => {
  it('run side by side and see nothing of each other', async () => {
    const run = (name: string) => output(`touch /only-${name}; sleep 1; ls -d /only-*`);
    const outputs = await Promise.all(['a', 'b', 'c'].map(run));
    expect(outputs).toEqual(['/only-a\n', '/only-b\n', '/only-c\n']);
  });
});

describe('a system whose start hangs', () => {
  it('is given up after --boot-timeout, with its console as evidence, and taken down', async () => {
    const disk = await leanDisk(lab, 'whole', { name: 'hang' });
    const unit = `[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n[Service]\nType=oneshot\nTimeoutStartSec=infinity\nExecStart=/bin/sleep 600\n`;
    await withMounted(lab, disk, '/', async (path) => {
      const units = `${path}/etc/systemd/system`;
      await lab.host.files.writeText(`${units}/stuck.service`, unit, 0o644);
      await lab.run('mkdir', '-p', `${units}/sysinit.target.wants`);
      await lab.run('ln', '-s', '../stuck.service', `${units}/sysinit.target.wants/stuck.service`);
    });
    const words = ['rescue', disk.file, '--json', '--exec', 'true', '--boot-timeout', '4'];
    const answer = await lab.kit(words);
    const { boot, error, exec } = answer.json(rescueDocumentSchema);
    expect(answer.exitCode).toBe(1);
    expect({ exec, timedOut: boot.timedOut }).toEqual({ exec: null, timedOut: true });
    expect(error?.code).toBe('BOOT_TIMEOUT');
    expect(boot.console.join('\n')).toContain('systemd');
  });
});
