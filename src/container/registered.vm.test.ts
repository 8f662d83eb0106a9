import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { makeDiskImage } from '../../fixtures/disk-image.ts';
import { guestLogin, sshArguments } from '../../fixtures/lab/guest-shell.ts';
import { leanLayouts } from '../../fixtures/lean-disk.ts';
import { openRescueVm, type RescueVm } from '../../fixtures/rescue-vm.ts';
import { keys, openTerminal } from '../../fixtures/terminal.ts';
import { cleanupDocumentSchema } from '../commands/cleanup.ts';
import { rescueDocumentSchema } from '../commands/rescue.ts';
import { statusDocumentSchema } from '../commands/status.ts';

let vm: RescueVm;
let device = '';

beforeAll(async () => {
  vm = await openRescueVm();
  const file = join(vm.directory, 'vol0abc.raw');
  await makeDiskImage(vm.host, { file, layout: leanLayouts.whole });
  device = await vm.attach(file, {});
  await vm.remember();
});
afterEach(() => vm.expectAsBefore());
afterAll(() => vm.close());

/** Starts a rescue that stays inside until `/go` is there. */
const standInContainer = async (...more: readonly string[]): Promise<number> => {
  const script = 'echo inside; until [ -e /go ]; do sleep 0.2; done; rm /go; echo bye';
  const words = ['rescue', device, '--skip-check', '--exec', `'${script}'`, ...more].join(' ');
  const started = await vm.sh(`rescuekit ${words} </dev/null >/root/out 2>&1 & echo $!`);
  await vm.sh('until grep -q inside /root/out; do sleep 0.2; done', { timeoutSeconds: 60 });
  return Number(started);
};

const letGo = (): Promise<string> =>
  vm.sh(`touch /proc/$(machinectl show "$(machinectl list --no-legend | cut -d' ' -f1)" \\
    --property=Leader --value)/root/go`);

const waitForEnd = (pid: number): Promise<string> =>
  vm.sh(`tail --pid=${pid} --sleep-interval=0.2 --follow /dev/null; cat /root/out`, {
    timeoutSeconds: 60,
  });

it('is a machine of the host while it runs, with its limits on the scope, and gone after', async () => {
  const pid = await standInContainer('--memory', '300M', '--tasks', '200');
  const machines = await vm.sh('machinectl list --no-legend');
  expect(machines).toMatch(/^rescuekit-[0-9a-f]+ +container +systemd-nspawn/);
  const [name = ''] = machines.split(' ');
  const unit = (await vm.sh(`machinectl show ${name} --property=Unit --value`)).trim();
  const limits = '--property=MemoryMax --property=TasksMax --property=ActiveState';
  expect((await vm.sh(`systemctl show '${unit}' ${limits}`)).trim().split('\n').sort()).toEqual([
    'ActiveState=active',
    'MemoryMax=314572800',
    'TasksMax=200',
  ]);
  await letGo();
  expect(await waitForEnd(pid)).toContain('bye');
  expect(await vm.sh('machinectl list --no-legend')).toBe('');
});

it('runs with users of its own, while files on the disk keep their owners', async () => {
  const script = 'cat /proc/self/uid_map; stat --format=%u /etc; touch /made-inside';
  const words = ['rescue', device, '--skip-check', '--private-users', '--exec', script, '--json'];
  const { exec } = (await vm.kit(words)).json(rescueDocumentSchema);
  expect(exec?.exitCode).toBe(0);
  const [map = '', owner] = exec?.stdout.trim().split('\n') ?? [];
  expect(map.trim()).toMatch(/^0 +[1-9]\d+ +65536$/);
  expect(owner).toBe('0');
  const made = 'stat --format=%u /mnt/made-inside';
  expect((await vm.sh(`mount -o ro ${device} /mnt && ${made}; umount /mnt`)).trim()).toBe('0');
});

it('has a virtual network link of its own when asked, and the host none afterwards', async () => {
  const words = ['--network', 'veth', '--exec', 'ls /sys/class/net', '--json'];
  const answer = await vm.kit(['rescue', device, '--skip-check', ...words]);
  expect(answer.json(rescueDocumentSchema).exec?.stdout).toBe('host0\nlo\n');
});

it('gives a person on ssh a root shell, and ends with it', async () => {
  const words = [...sshArguments(vm.machine()), '-tt', guestLogin];
  const terminal = openTerminal('ssh', [...words, `rescuekit rescue ${device} --skip-check`], {
    columns: 80,
    rows: 24,
    env: { TERM: 'xterm', PATH: process.env.PATH ?? '' },
  });
  try {
    await terminal.see('root@web-3');
    terminal.press('echo I am $(id -un) in $(cat /etc/hostname)\r');
    await terminal.see('I am root in web-3');
    // Before its prompt the terminal itself takes the key, and the shell never hears of it.
    await terminal.see('root@web-3');
    terminal.press(keys.controlD);
    await terminal.see('safe to detach');
    expect(await terminal.ended).toBe(0);
  } finally {
    terminal.kill('SIGKILL');
  }
});

it('killed with kill -9 while the container runs leaves what cleanup takes down', async () => {
  const pid = await standInContainer();
  await vm.sh(`kill -KILL ${pid}`);
  const { sessions } = (await vm.kit(['status', '--json'])).json(statusDocumentSchema);
  expect(sessions.map(({ state }) => state)).toEqual(['left']);
  const answer = await vm.kit(['cleanup', '--json']);
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(0);
  expect(answer.json(cleanupDocumentSchema).left).toEqual([]);
});

it('killed with kill -9 while the container boots leaves what cleanup takes down', async () => {
  const words = `rescue ${device} --skip-check --exec true`;
  const pid = Number(await vm.sh(`rescuekit ${words} </dev/null >/root/out 2>&1 & echo $!`));
  await vm.sh('until machinectl list --no-legend | grep -q rescuekit; do sleep 0.1; done', {
    timeoutSeconds: 60,
  });
  await vm.sh(`kill -KILL ${pid}`);
  const answer = await vm.kit(['cleanup', '--json']);
  expect(answer.exitCode, answer.stdout + answer.stderr).toBe(0);
  expect(answer.json(cleanupDocumentSchema).left).toEqual([]);
});
