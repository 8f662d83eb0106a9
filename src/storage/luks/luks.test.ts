import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { type FakeFile, fakeHost, recorded } from '../../../fixtures/fake-host.ts';
import type { Device } from '../../devices/device.ts';
import type { Host } from '../../host/host.ts';
import type { Step } from '../../host/step.ts';
import type { LayerContext, LuksHeader, Opening } from '../layer.ts';
import { closeLuks } from './close-luks.ts';
import { luksLayer } from './luks.ts';
import { parseLuks2 } from './luks-metadata.ts';

const uuid = '11111111-2222-4333-8444-555555555555';
const locked = makePartition('/dev/vdb3', 3, { fsType: 'crypto_LUKS', uuid, label: 'secret' });
const blank = makePartition('/dev/vdb4', 4, { sizeBytes: 2 ** 30 });
const diskOf = (...children: readonly Device[]) => makeDevice('/dev/vdb', { children });

const dumps: Readonly<Record<string, string>> = { pbkdf2: recorded('cryptsetup/pbkdf2.json') };
const meminfo = 'MemTotal: 1000000 kB\nMemAvailable: 40000 kB\nSwapFree: 0 kB\n';

const answering = (
  dump: string | null,
  files: Readonly<Record<string, FakeFile>> = {},
  open = 0,
): Host & { readonly commands: readonly { readonly args: readonly string[] }[] } =>
  fakeHost(
    ({ program, args }) => {
      if (program !== 'cryptsetup') return {};
      if (args[0] === 'luksDump') return dump === null ? { exitCode: 1 } : { stdout: dump };
      return { exitCode: args[0] === 'open' ? open : 1 };
    },
    { '/proc/meminfo': meminfo, ...files },
  );

const context = (
  host: Host,
  ours: readonly Device[],
  more: Partial<LayerContext> = {},
): LayerContext => ({
  ...{ host, ours, free: [], all: ours, mode: 'read-only', session: '7f3a', directory: '/s' },
  luksHeaders: [],
  ...more,
});

const probe = (dump: string | null, ours: readonly Device[], headers: readonly LuksHeader[] = []) =>
  luksLayer.probe(context(answering(dump), ours, { luksHeaders: headers }));

test('a closed container wants a passphrase and says what it is', async () => {
  const [opening] = await probe(dumps.pbkdf2 ?? '', [diskOf(locked)]);
  expect(opening).toMatchObject({ need: { kind: 'passphrase' }, devices: ['/dev/vdb3'], rank: 0 });
  expect(opening?.what).toContain('/dev/vdb3 (LUKS2, ');
  expect(opening?.what).toContain('"secret"');
});

test('an open one is left alone', async () => {
  const open = { ...locked, children: [makeDevice('/dev/dm-0', { kind: 'luks' })] };
  expect(await probe(dumps.pbkdf2 ?? '', [diskOf(open)])).toEqual([]);
});

test('keys that belong to tokens alone are told of', async () => {
  const [opening] = await probe(recorded('cryptsetup/argon2-tpm2.json'), [diskOf(locked)]);
  expect(opening?.what).toContain('all its keys belong to tokens (systemd-tpm2)');
});

test('a recovery key is typed in, so it is no such token', () => {
  const text = recorded('cryptsetup/argon2-tpm2.json').replace('systemd-tpm2', 'systemd-recovery');
  expect(parseLuks2(text).slots).toEqual([{ kdf: 'argon2id', memoryKib: 65536, token: null }]);
});

test('a reencryption that was cut off is not gone on with', async () => {
  const dump = (dumps.pbkdf2 ?? '').replace(
    '"config":{',
    '"config":{"requirements":{"mandatory":["online-reencrypt-v2"]},',
  );
  const [opening] = await probe(dump, [diskOf(locked)]);
  expect(opening?.need).toMatchObject({ kind: 'impossible' });
});

test('a volume of Windows stays closed with a word of how to open it', async () => {
  const [opening] = await probe(null, [
    diskOf(makePartition('/dev/vdb3', 3, { fsType: 'BitLocker' })),
  ]);
  expect(opening?.need).toMatchObject({
    kind: 'impossible',
    why: expect.stringContaining('--type bitlk'),
  });
});

test('a detached header belongs to the only device that shows nothing', async () => {
  const esp = makePartition('/dev/vdb1', 1, { fsType: 'vfat' });
  const header: LuksHeader = { path: '/root/header', device: null };
  const [opening] = await probe(dumps.pbkdf2 ?? '', [diskOf(esp, blank)], [header]);
  expect(opening?.devices).toEqual(['/dev/vdb4']);
  expect(opening?.what).toContain('header in /root/header');
});

test('of several such devices one has to be named', async () => {
  const other = makePartition('/dev/vdb5', 5, { sizeBytes: 2 ** 30 });
  const named = (device: string | null) =>
    probe(dumps.pbkdf2 ?? '', [diskOf(blank, other)], [{ path: '/root/header', device }]);
  expect((await named(null))[0]?.need).toMatchObject({
    kind: 'impossible',
    why: expect.stringContaining('DEVICE=FILE'),
  });
  expect((await named('/dev/vdb5')).map(({ devices }) => devices)).toEqual([['/dev/vdb5']]);
});

const opened = async (host: Host, opening: Opening | undefined): Promise<readonly Step[]> => {
  const steps: Step[] = [];
  const perform = async (step: Step) => {
    steps.push(step);
    for (const command of step.commands) await host.run(command);
    return steps.length;
  };
  await opening?.open(perform, { kind: 'passphrase', text: 'open sesame' });
  return steps;
};

test('the passphrase goes to standard input and is no word of the command', async () => {
  const host = answering(dumps.pbkdf2 ?? '');
  const [opening] = await luksLayer.probe(context(host, [diskOf(locked)]));
  const steps = await opened(host, opening);
  expect(steps.map(({ undo }) => undo?.kind)).toEqual(['set-writable', 'close-luks']);
  const [command] = steps[1]?.commands ?? [];
  expect(command?.input).toBe('open sesame');
  expect(command?.args).toEqual([
    ...['open', '--type', 'luks', '--readonly', '--key-file', '-'],
    ...['/dev/vdb3', 'rescuekit-7f3a-vdb3'],
  ]);
});

test('nothing is write-protected where it is opened for writing', async () => {
  const host = answering(dumps.pbkdf2 ?? '');
  const all = await luksLayer.probe(context(host, [diskOf(locked)], { mode: 'read-write' }));
  const steps = await opened(host, all[0]);
  expect(steps.map(({ undo }) => undo?.kind)).toEqual(['close-luks']);
});

test.each([
  [2, 'WRONG_PASSPHRASE'],
  [3, 'MEMORY'],
  [5, 'BUSY'],
])('exit code %i of cryptsetup is %s', async (exit, code) => {
  const host = answering(dumps.pbkdf2 ?? '', {}, exit);
  const [opening] = await luksLayer.probe(context(host, [diskOf(locked)]));
  await expect(opened(host, opening)).rejects.toMatchObject({ code });
});

test('a key derivation that needs more memory than there is is not begun', async () => {
  const host = answering(recorded('cryptsetup/argon2-tpm2.json'));
  const [opening] = await luksLayer.probe(context(host, [diskOf(locked)]));
  await expect(opened(host, opening)).rejects.toMatchObject({
    code: 'MEMORY',
    message: expect.stringContaining('takes 64 MiB of memory'),
  });
});

const mapping = (name: string, openedAs: string): Record<string, FakeFile> => ({
  '/sys/class/block/dm-4/dm/name': `${name}\n`,
  '/sys/class/block/dm-4/dm/uuid': `CRYPT-LUKS2-11111111222243338444555555555555-${openedAs}\n`,
  '/sys/class/block/dm-4/dev': '253:4\n',
});

test('what another session opened is not closed', async () => {
  const host = answering(null, mapping('rescuekit-beef-vdb3', 'rescuekit-beef-vdb3'));
  const undo = { mapping: 'rescuekit-7f3a-vdb3', device: '/dev/vdb3' };
  expect(await closeLuks(host, undo)).toEqual({ outcome: 'gone' });
  expect(host.commands).toEqual([]);
});

test('a mapping is closed by the name that it has now', async () => {
  const files = mapping('web3_crypt', 'rescuekit-7f3a-vdb3');
  const host = fakeHost(() => {
    for (const path of Object.keys(files)) delete files[path];
    return {};
  }, files);
  const undo = { mapping: 'rescuekit-7f3a-vdb3', device: '/dev/vdb3' };
  expect(await closeLuks(host, undo)).toEqual({ outcome: 'undone' });
  expect(host.commands[0]?.args).toEqual(['close', 'web3_crypt']);
});
