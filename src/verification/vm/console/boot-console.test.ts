import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recorded } from '../../../../fixtures/fake-host.ts';
import { type BootConsole, bootConsole } from './boot-console.ts';

const consoleOf = (text: string, chunk = 4096): BootConsole => {
  const console = bootConsole();
  for (let at = 0; at < text.length; at += chunk) console.push(text.slice(at, at + chunk), 1);
  return console;
};

const recordedConsole = (name: string): BootConsole => consoleOf(recorded(`console/${name}.txt`));

/** What was recorded, the stage in which it stands, and the words that the cause must have. */
const failures = [
  ['seabios-nosig', 'firmware', 'no boot signature'],
  ['seabios-zero', 'firmware', 'nothing came any more'],
  ['uefi-no-loader', 'firmware', 'no boot loader at EFI/BOOT/BOOTX64.EFI'],
  ['secure-boot-refused', 'firmware', 'Secure Boot refuses it'],
  ['grub-no-core', 'boot-loader', 'core image'],
  ['rescue-uuid', 'boot-loader', 'no such device: 11111111-2222-3333-4444-555555555555'],
  ['grub-nocfg', 'boot-loader', 'no configuration'],
  ['grub-nokernel', 'boot-loader', "file `/boot/vmlinuz-6.1.0-56-cloud-amd64' not found"],
  ['grub-badkernel', 'boot-loader', 'invalid magic number'],
  ['grub-noinitrd', 'kernel', "file `/boot/initrd.img-6.1.0-56-cloud-amd64' not found"],
  ['panic-badinitrd', 'kernel', 'its initramfs is damaged'],
  ['initramfs-alert', 'initramfs', 'UUID=99991111-2222-3333-4444-555555555555 does not exist'],
  ['no-init', 'root-mounted', 'No init found'],
  ['no-init-sh', 'root-mounted', 'A shell was started in place'],
  ['kill-init', 'root-mounted', 'libc.so.6: cannot open shared object file'],
  ['fstab-badfs', 'root-mounted', 'emergency mode: Failed to mount data.mount'],
  ['no-target', 'root-mounted', 'rescue mode, whose shell is closed'],
] as const;

test.for(failures)(
  'the recorded console %s is judged to have failed in %s',
  ([name, stage, words]) => {
    const judgement = recordedConsole(name).judge();
    expect(judgement).toMatchObject({ outcome: 'failed', stage });
    expect(judgement?.outcome === 'failed' ? judgement.cause : '').toContain(words);
  },
);

test('a quiet boot is known by its login prompt alone', () => {
  expect(recordedConsole('quiet-login').judge()).toMatchObject({ outcome: 'passed', by: 'login' });
});

test('firmware and system on two ports are one boot, and what both wrote stands there once', () => {
  const console = bootConsole();
  console.push(recorded('console/uefi-login.firmware.txt'), 1, 'firmware');
  console.push(recorded('console/uefi-login.system.txt'), 2, 'system');
  expect(console.judge()).toMatchObject({ outcome: 'passed', by: 'login' });
  expect(console.stages().map(({ stage }) => stage)).toEqual([
    ...['firmware', 'boot-loader', 'kernel', 'initramfs', 'root-mounted'],
    ...['default-target', 'login'],
  ]);
  const lines = console.evidence(400);
  expect(lines.filter((line) => line === 'Welcome to GRUB!')).toHaveLength(1);
  expect(lines.at(-1)).toBe('web-3 login:');
});

test('a system without a login service passes when its default target is reached', () => {
  const judgement = recordedConsole('no-getty').judge();
  expect(judgement).toMatchObject({ outcome: 'passed', by: 'default-target' });
  expect(judgement?.silence).toBeGreaterThan(10);
});

test.for(['uefi-login.system', 'kill-init', 'grub-nokernel', 'initramfs-alert'])(
  'the pieces in which %s arrives make no difference',
  (name) => {
    const text = recorded(`console/${name}.txt`);
    const whole = consoleOf(text, text.length);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 97 }), (chunk) => {
        const pieces = consoleOf(text, chunk);
        expect(pieces.judge()).toEqual(whole.judge());
        expect(pieces.stages()).toEqual(whole.stages());
      }),
      { numRuns: 10 },
    );
  },
);

test.for(failures)('no beginning of the console %s is taken for a boot', ([name]) => {
  const console = bootConsole();
  for (const piece of recorded(`console/${name}.txt`).match(/.{1,50}/gs) ?? []) {
    console.push(piece, 1);
    expect(console.judge()?.outcome).not.toBe('passed');
  }
});

test('no beginning of a healthy boot is taken for a failure that is certain', () => {
  const console = bootConsole();
  for (const piece of recorded('console/uefi-login.system.txt').match(/.{1,50}/gs) ?? []) {
    console.push(piece, 1);
    const judgement = console.judge();
    if (judgement?.outcome === 'failed') expect(judgement.silence).toBeGreaterThan(40);
  }
});

test('what is waited for is told with its time, and forgotten when the boot goes on', () => {
  const console = bootConsole();
  const job = (time: string) =>
    `\r\u001b[K[ \u001b[0;31m*\u001b[0;1;31m*\u001b[0m ] A start job is running for /dev/vdx (${time} / 1min 30s)`;
  console.push(`Welcome to Debian GNU/Linux 12 (bookworm)!\r\n${job('5s')}${job('6s')}\r\n`, 1);
  expect(console.waitingFor()).toEqual({
    ...{ what: '/dev/vdx (6s / 1min 30s)', seconds: 6, limitSeconds: 90 },
  });
  expect(console.judge()).toBe(null);
  console.push('a\r\nb\r\nc\r\nd\r\ne\r\n', 2);
  expect(console.waitingFor()).toBe(null);
});

test('units that failed are named, without those of the initramfs', () => {
  const console = bootConsole();
  console.push('dracut: starting\n[FAILED] Failed to start early.service - Early.\n', 1);
  console.push('Welcome to Fedora Linux 41 (Cloud Edition)!\n', 2);
  console.push('[FAILED] Failed to start shop.service - Shop front end.\n', 3);
  console.push('[FAILED] Failed to mount /data.\n', 4);
  expect(console.failedUnits()).toEqual(['shop.service', '/data']);
});

test('one restart is no failure, three are', () => {
  const console = bootConsole();
  console.restarted();
  expect(console.judge()?.silence).toBeGreaterThan(30);
  console.restarted();
  console.restarted();
  expect(console.judge()).toMatchObject({ outcome: 'failed', silence: 0 });
});

test('a kernel that is known to run from its processor alone is not waited for as a boot loader', () => {
  const console = bootConsole();
  console.push(
    'SeaBIOS (version 1.16.2)\r\nBooting from Hard Disk...\r\nGRUB loading.\r\n',
    1,
    'firmware',
  );
  expect(console.judge()).not.toBe(null);
  console.reach('kernel', 5);
  expect(console.judge()).toBe(null);
  expect(console.systemSpoke()).toBe(false);
});

test('a device that never came is named with the mount that needs it', () => {
  const lines = [
    'Welcome to Debian GNU/Linux 12 (bookworm)!',
    '[ TIME ] Timed out waiting for device 0;1;…99999-8888-7777-6666-555555555555.',
    '[DEPEND] Dependency failed for syst…99999-8888-7777-6666-555555555555.',
    '[DEPEND] Dependency failed for srv-data.mount - /srv/data.',
    '[DEPEND] Dependency failed for loca…s.target - Local File Systems.',
    'You are in emergency mode. After logging in, type "journalctl -xb" to view',
  ];
  expect(consoleOf(`${lines.join('\r\n')}\r\n`).judge()).toMatchObject({
    outcome: 'failed',
    stage: 'root-mounted',
    cause:
      'systemd stopped in emergency mode: Timed out waiting for device …99999-8888-7777-6666-555555555555 (/srv/data needs it).',
  });
});

test('a colour that systemd has cut in two leaves nothing of itself', () => {
  const console = bootConsole();
  console.push('[ TIME ] Timed out waiting for device \u001b[0;1;…9999-8888.\r\n', 1);
  console.push('[  OK  ] Started \u001b[0;1;39msystemd-udev-trig…[0m - Coldplug.\r\n', 1);
  expect(console.evidence(2)).toEqual([
    '[ TIME ] Timed out waiting for device …9999-8888.',
    '[ OK ] Started systemd-udev-trig… - Coldplug.',
  ]);
});

test('a prompt that the screen has cut in two is one', () => {
  const text = 'Welcome to GRUB!\r\nMinimal BASH-like line editing is supported.\r\ng\r\nrub> ';
  expect(consoleOf(text).judge()).toMatchObject({ outcome: 'failed', stage: 'boot-loader' });
});

test.each([
  ['in its name', 'for device /dev/disk/by-uuid/99', '999999-8888.\r\n'],
  ['twice', 'for device /dev/disk/by-uuid/99', '999999-8888.\r\n', '[    5.100000] more\r\n'],
  ['at its end', 'for device /dev/disk/by-uuid/99999999-8888.', '\r\n'],
])(
  'a line of systemd that the kernel writes into %s is whole again',
  (_, begin, rest, more = '') => {
    const console = consoleOf(
      `Linux version 6.1\r\n[ TIME ] Timed out waiting ${begin}[    5.000000] loop: module loaded\r\n${more}${rest}` +
        '[DEPEND] Dependency failed for /srv/data.\r\nYou are in emergency mode. After\r\n',
      7,
    );
    expect(console.evidence(9)).toContain('[ 5.000000] loop: module loaded');
    expect(console.judge()).toMatchObject({
      cause:
        'systemd stopped in emergency mode: Timed out waiting for device /dev/disk/by-uuid/99999999-8888 (/srv/data needs it).',
    });
  },
);

const up = 'Welcome to Debian GNU/Linux 12 (bookworm)!\r\n[  OK  ] Mounted sys.mount - Sys.\r\n';
const prompt = 'web-3 login: ';
const passed = { outcome: 'passed', by: 'login' };

test('a prompt before the default target passes when the target comes, and later without it', () => {
  const console = consoleOf(up);
  console.push(prompt, 10);
  expect(console.judge()).toMatchObject({ ...passed, silence: 60 });
  console.push('\r\n[  OK  ] Started one.service - One.\r\n', 55);
  expect(console.judge()).toMatchObject({ ...passed, silence: 15 });
  console.push('[  OK  ] Reached target multi-user.target - Multi-User System.\r\n', 60);
  expect(console.judge()).toMatchObject({ ...passed, silence: 1 });
});

test('behind a prompt a unit that is begun and not over is no end of the boot, and is named', () => {
  const console = consoleOf(up);
  console.push('         Starting shop-db.service - Database of the shop...\r\n', 10);
  console.push('         Starting systemd-update-ut… Record Runlevel Change in UTMP...\r\n', 10);
  console.push(prompt, 12);
  console.push(
    '\r\n[  OK  ] Finished systemd-update-ut… - Record Runlevel Change in UTMP.\r\n',
    13,
  );
  expect(console.judge()).toBe(null);
  expect(console.starting(200)).toEqual({
    ...{ what: 'shop-db.service - Database of the shop', seconds: 190, limitSeconds: null },
  });
  console.push(
    `${prompt}[FAILED] Failed to start shop-db.service - Database of the shop.\r\n`,
    102,
  );
  expect(console.starting(200)).toBe(null);
  expect(console.judge()).toMatchObject({ ...passed, silence: 3 });
});

test('while a password is asked for nothing is told of jobs, and a prompt behind it is a login', () => {
  const console = consoleOf(`${up}         Starting Cryptography Setup for vault...\r\n`);
  console.push('         Starting File System Check…0f1f-41db-931d-d25b35496dd0...\r\n', 9);
  expect(console.starting(200)?.what).toBe('Cryptography Setup for vault');
  console.push('🔐 Please enter passphrase for disk boot (vault): (press TAB for no echo) ', 10);
  expect(console.judge()).toMatchObject({ outcome: 'not-judged' });
  console.push(`\r\nDebian GNU/Linux 11 web-3 ttyS0\r\n\r\n${prompt}`, 12);
  expect(console.judge()).toMatchObject({ ...passed, silence: 60 });
  expect(console.starting(200)).toBe(null);
});

test('a quiet boot does not wait for a target that is never told', () => {
  const console = consoleOf('Welcome to Debian GNU/Linux 12 (bookworm)!\r\n');
  console.push(prompt, 10);
  expect(console.judge()).toMatchObject({ ...passed, silence: 1 });
});

test('a machine that is reset behind its prompt has not passed', () => {
  const console = consoleOf(
    `${up}[  OK  ] Reached target multi-user.target - Multi-User System.\r\n`,
  );
  console.push(prompt, 10);
  expect(console.judge()).toMatchObject(passed);
  console.restarted();
  expect(console.judge()?.outcome).not.toBe('passed');
  expect(console.evidence(1)).toEqual(['web-3 login:']);
});

test('from the default target on the kernel’s other lines put off nothing', () => {
  const console = consoleOf(up);
  console.push('[  OK  ] Reached target multi-user.target - Multi-User System.\r\n', 10);
  console.push('[   35.000000] random: crng reseeded\r\n', 35);
  expect(console.judge()).toMatchObject({ outcome: 'passed', by: 'default-target', silence: 5 });
});

test.each([
  ['Welcome to GRUB!\r\nEnter passphrase for hd0,gpt2 (1234): ', 'boot-loader'],
  ['Begin: Mounting root file system ... \r\nPlease unlock disk cryptroot: ', 'initramfs'],
])('a passphrase that is asked for is no verdict: %s', (text, stage) => {
  const judgement = consoleOf(text).judge();
  expect(judgement).toMatchObject({ outcome: 'not-judged', stage });
  expect(judgement?.outcome === 'not-judged' && judgement.cause).toContain('nobody types');
});

test('a job that is over is not waited for because it was the last that was drawn', () => {
  const console = consoleOf(up);
  console.push(prompt, 10);
  console.push('\r\n[ ***  ] A start job is running for Shop (6s / no limit)\r\n', 16);
  expect(console.judge()).toBe(null);
  console.push('[  OK  ] Finished shop.service - Shop.\r\n', 17);
  expect(console.judge()).toMatchObject({ ...passed, silence: 53 });
});

test('that shim refuses a boot loader is told by its words in their frame', () => {
  const text = [
    'BdsDxe: starting Boot0001 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x1,0x0)',
    '\ufffd Verification failed: (0x1A) Security Violation \ufffd',
    '\ufffd OK \ufffd',
  ].join('\r\n');
  const judgement = consoleOf(`${text}\r\n`).judge();
  expect(judgement).toMatchObject({ outcome: 'failed', stage: 'boot-loader', bySilence: false });
  expect(judgement?.outcome === 'failed' && judgement.cause).toContain('shim refuses');
});
