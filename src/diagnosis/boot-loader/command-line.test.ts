import { expect, test } from 'vitest';
import { makeDevice, makePartition } from '../../../fixtures/device.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { subjectOf } from '../../../fixtures/subject.ts';
import { commandLineCheck } from './command-line.ts';

const uuid = '0d7c7d2c-1111-4222-8333-444455556666';
const root = makePartition('/dev/loop0p3', 3, { fsType: 'ext4', uuid });
const disk = makeDevice('/dev/loop0', { children: [root] });
const devices = { root, disk, disks: [disk], subvolume: null, volumes: [] };

const find = async (
  words: string,
  more: Readonly<Record<string, TreeEntry>> = {},
  initrd = 'initrd /boot/i',
): Promise<readonly string[]> => {
  await using tree = await makeTree({
    'boot/grub/grub.cfg': [
      `menuentry a { linux /boot/k root=UUID=${uuid} ro ${words}\n${initrd}\n}\n`,
      `menuentry b { linux /boot/k root=UUID=${uuid} ro single\n${initrd}\n}\n`,
    ].join(''),
    'boot/k': 'k',
    'boot/i': 'i',
    'sbin/init': { program: 'x' },
    ...more,
  });
  const subject = await subjectOf(tree.root, { missing: [] }, { devices });
  const findings = await commandLineCheck.run(subject);
  return findings.map(({ severity, id, repair }) => `${severity} ${id} ${repair}`);
};

const repair = 'boot-loader.clear-command-line';

test('words of other entries, and words that only look so, give no finding', async () => {
  for (const words of [
    ...['', 'quiet splash', 'net.ifnames=0 panic=1', 'console=ttyS0,115200n8', 'init=/sbin/init'],
    ...[`resume=UUID=${uuid}`, 'systemd.unit=graphical.target', '3', 'rd.shell', 'sysrq=1'],
  ]) {
    expect(await find(words), words).toEqual([]);
  }
});

test('words for a rescue that were left are found', async () => {
  for (const word of [
    ...['single', '1', 'S', 'emergency', 'rescue', 'rd.break', 'rd.break=pre-mount', 'break=init'],
    ...['systemd.unit=rescue.target', 'systemd.unit=emergency.target', 'init=/bin/bash'],
    ...['init=/bin/sh', 'rdinit=/bin/sh'],
  ]) {
    expect(await find(word), word).toEqual([`warning boot-loader.rescue-words ${repair}`]);
  }
  expect(await find('systemd.mask=nginx.service')).toEqual([
    `info boot-loader.mask-words ${repair}`,
  ]);
});

test('an init that is not there stops a kernel without an initramfs', async () => {
  const gone = 'init=/usr/lib/old/init';
  expect(await find(gone)).toEqual([`warning boot-loader.init-argument ${repair}`]);
  expect(await find(gone, {}, '')).toEqual([`critical boot-loader.init-argument ${repair}`]);
  const there = { 'usr/lib/old/init': { program: 'x' } };
  expect(await find(gone, there)).toEqual([]);
});

test('a device to resume from that is gone is told of', async () => {
  const gone = 'UUID=11111111-2222-4333-8444-555566667777';
  expect(await find(`resume=${gone}`)).toEqual([`info boot-loader.resume-words ${repair}`]);
  const setting = (spec: string) => ({
    'etc/initramfs-tools/conf.d/resume': `RESUME=none\nRESUME=${spec}\n`,
  });
  expect(await find('', setting(gone))).toEqual(['info boot-loader.resume-words null']);
  expect(await find('', setting(`UUID=${uuid}`))).toEqual([]);
  expect(await find('', setting('none'))).toEqual([]);
});

test('words in the environment block of GRUB are found, and no repair is promised for them', async () => {
  const rhel = {
    'boot/grub/grub.cfg': '',
    'boot/grub2/grub.cfg': 'set default=$saved_entry\ninsmod blscfg\nblscfg\n',
    'boot/grub2/grubenv': `# GRUB Environment Block\nkernelopts=root=UUID=${uuid} ro single \n`,
    'boot/loader/entries/m-4.18.0-553.el8.x86_64.conf':
      'title RHEL\nlinux /k\ninitrd /i $tuned_initrd\noptions $kernelopts $tuned_params\n',
  };
  expect(await find('', rhel)).toEqual(['warning boot-loader.rescue-words null']);
  const own = {
    ...rhel,
    'boot/grub2/grubenv': `kernelopts=root=UUID=${uuid} ro \n`,
    'boot/loader/entries/m-4.18.0-553.el8.x86_64.conf':
      'title RHEL\nlinux /k\noptions $kernelopts single\n',
  };
  expect(await find('', own)).toEqual([`warning boot-loader.rescue-words ${repair}`]);
});
