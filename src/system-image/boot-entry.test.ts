import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recorded } from '../../fixtures/fake-host.ts';
import { makeTree, type TreeEntry } from '../../fixtures/make-tree.ts';
import { hostFiles } from '../host/files.ts';
import { type BootEntry, findBootEntries } from './boot-entry.ts';
import { parseGrubScript } from './grub-script.ts';
import { systemFiles } from './system-files.ts';

const version = '6.1.0-56-cloud-amd64';
const uuid = '0d7c7d2c-1111-4222-8333-444455556666';

const entriesOf = async (
  entries: Readonly<Record<string, TreeEntry>>,
): Promise<readonly BootEntry[]> => {
  await using tree = await makeTree(entries);
  return await findBootEntries(systemFiles(hostFiles, tree.root));
};

const kernelFiles = { [`boot/vmlinuz-${version}`]: 'k', [`boot/initrd.img-${version}`]: 'i' };

test("the menu that Debian's grub-mkconfig writes is read with its default", async () => {
  const entries = await entriesOf({
    'boot/grub/grub.cfg': recorded('grub/bookworm.cfg'),
    ...kernelFiles,
  });
  expect(entries).toHaveLength(3);
  expect(entries[0]).toMatchObject({
    loader: 'grub',
    title: 'GNU/Linux',
    id: `gnulinux-simple-${uuid}`,
    kernel: `/boot/vmlinuz-${version}`,
    kernelPath: `/boot/vmlinuz-${version}`,
    initrdPaths: [`/boot/initrd.img-${version}`],
    options: `root=UUID=${uuid} ro`,
    isDefault: true,
    path: '/boot/grub/grub.cfg',
    line: 106,
    kernelLine: 119,
    initrdLine: 121,
  });
  expect(entries[0]?.places).toContainEqual({ by: 'uuid', value: uuid, line: 114 });
  expect(entries[0]?.places).toContainEqual({ by: 'device', value: 'hd0,gpt3', line: 112 });
  expect(entries.filter(({ isDefault }) => isDefault)).toHaveLength(1);
  expect(entries[2]?.options).toContain('single');
});

const menu = (value: string) => `set default="${value}"
menuentry 'one' --id first { linux /vmlinuz-1 root=/dev/sda1; initrd /early /initrd-1 }
submenu "more" {
  menuentry "two \\"2\\"" { linux ($root)/vmlinuz-2 a 'b c' }
  menuentry three --id third { linux16 /@/boot/vmlinuz-3 }
}
menuentry memtest { linux16 /memtest86+.bin }
`;

/** As GRUB writes it. */
const variable = (name: string) => `$\{${name}}`;

const defaultOf = async (value: string, environment: string | null = null) =>
  (
    await entriesOf({
      'boot/grub/grub.cfg': menu(value),
      ...(environment === null ? {} : { 'boot/grub/grubenv': environment }),
    })
  ).find(({ isDefault }) => isDefault)?.title;

test('the default is found by number, path of numbers, id and title', async () => {
  expect(await defaultOf('0')).toBe('one');
  expect(await defaultOf('1')).toBe('two "2"');
  expect(await defaultOf('1>1')).toBe('three');
  expect(await defaultOf('more>third')).toBe('three');
  expect(await defaultOf('first')).toBe('one');
  expect(await defaultOf('no such entry')).toBe('one');
});

test('a saved entry and one for the next boot only come from the environment block', async () => {
  const block = '# GRUB Environment Block\nsaved_entry=more>third\n####';
  expect(await defaultOf(variable('saved_entry'), block)).toBe('three');
  expect(await defaultOf(variable('saved_entry'))).toBe('one');
  expect(await defaultOf(`0"\nset default="${variable('next_entry')}`, 'next_entry=1\n')).toBe(
    'two "2"',
  );
  expect(await defaultOf(`0"\nset default="${variable('next_entry')}`, 'next_entry=\n')).toBe(
    'one',
  );
});

test('paths start at the top of the file system, wherever that is mounted', async () => {
  const entries = await entriesOf({
    'boot/grub/grub.cfg': menu('0'),
    'boot/vmlinuz-1': 'k',
    'boot/initrd-1': '',
    'boot/vmlinuz-2': 'k',
    'boot/vmlinuz-3': 'k',
  });
  expect(entries.map(({ kernelPath }) => kernelPath)).toEqual([
    '/boot/vmlinuz-1',
    '/boot/vmlinuz-2',
    '/boot/vmlinuz-3',
    null,
  ]);
  expect(entries[0]?.initrdPaths).toEqual([null, '/boot/initrd-1']);
  expect(entries[1]?.options).toBe('a b c');
});

test("Fedora's entries are listed newest first, and only where grub.cfg asks for them", async () => {
  const files = {
    'boot/grub2/grub.cfg': `set default="${variable('saved_entry')}"\ninsmod blscfg\nblscfg\n`,
    'boot/loader/entries/m-6.8.9.conf': 'title Old\nlinux /vmlinuz-6.8.9\noptions root=UUID=a ro\n',
    'boot/loader/entries/m-6.10.1.conf': 'title New\nlinux /vmlinuz-6.10.1\ninitrd /i $tuned\n',
    'boot/vmlinuz-6.10.1': 'k',
  };
  const entries = await entriesOf(files);
  expect(entries.map(({ title, isDefault }) => [title, isDefault])).toEqual([
    ['New', true],
    ['Old', false],
  ]);
  const saved = await entriesOf({ ...files, 'boot/grub2/grubenv': 'saved_entry=m-6.8.9\n' });
  expect(saved.find(({ isDefault }) => isDefault)).toMatchObject({
    title: 'Old',
    options: 'root=UUID=a ro',
    kernelPath: null,
  });
});

/** The head of the menu that Fedora 40 and RHEL 9 write, by grub2-mkconfig with 00, 08 and 10. */
const fedoraMenu = `### BEGIN /etc/grub.d/00_header ###
set pager=1

if [ -f $\{config_directory}/grubenv ]; then
  load_env -f $\{config_directory}/grubenv
elif [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "$\{next_entry}" ] ; then
   set default="$\{next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="$\{saved_entry}"
fi

if [ x"$\{feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
else
  menuentry_id_option=""
fi

export menuentry_id_option

if [ "$\{prev_saved_entry}" ]; then
  set saved_entry="$\{prev_saved_entry}"
  save_env saved_entry
  set prev_saved_entry=
  save_env prev_saved_entry
  set boot_once=true
fi

function savedefault {
  if [ -z "$\{boot_once}" ]; then
    saved_entry="$\{chosen}"
    save_env saved_entry
  fi
}
### END /etc/grub.d/00_header ###

### BEGIN /etc/grub.d/01_users ###
if [ -f $\{prefix}/user.cfg ]; then
  source $\{prefix}/user.cfg
  if [ -n "$\{GRUB2_PASSWORD}" ]; then
    set superusers="root"
    export superusers
    password_pbkdf2 root $\{GRUB2_PASSWORD}
  fi
fi
### END /etc/grub.d/01_users ###

### BEGIN /etc/grub.d/08_fallback_counting ###
insmod increment
# Check if boot_counter exists and boot_success=0 to activate this behaviour.
if [ -n "$\{boot_counter}" -a "$\{boot_success}" = "0" ]; then
  # if countdown has ended, choose to boot rollback deployment,
  # i.e. default=1 on OSTree-based systems.
  if  [ "$\{boot_counter}" = "0" -o "$\{boot_counter}" = "-1" ]; then
    set default=1
    set boot_counter=-1
  # otherwise decrement boot_counter
  else
    decrement boot_counter
  fi
  save_env boot_counter
fi
### END /etc/grub.d/08_fallback_counting ###

### BEGIN /etc/grub.d/10_linux ###
insmod part_gpt
insmod ext2
search --no-floppy --fs-uuid --set=root 0d7c7d2c-1111-4222-8333-444455556666
if [ -z "$\{kernelopts}" ]; then
  set kernelopts="root=UUID=a ro quiet "
fi

insmod blscfg
blscfg
### END /etc/grub.d/10_linux ###
`;

const fedoraId = (release: string) => `0123456789abcdef0123456789abcdef-${release}`;

const fedoraFiles = (options: string): Readonly<Record<string, TreeEntry>> =>
  Object.fromEntries(
    ['6.8.5-301.fc40.x86_64', '6.7.1-200.fc39.x86_64', '0-rescue'].flatMap((release) => [
      [
        `boot/loader/entries/${fedoraId(release)}.conf`,
        `title Fedora ${release}\nversion ${release}\nlinux /vmlinuz-${release}\ninitrd /initramfs-${release}.img $tuned_initrd\noptions ${options}\n`,
      ],
      [`boot/vmlinuz-${release}`, 'k'],
    ]),
  );

const fedoraDefault = async (environment: string, options = 'root=UUID=a ro') =>
  (
    await entriesOf({
      'boot/grub2/grub.cfg': fedoraMenu,
      'boot/grub2/grubenv': `# GRUB Environment Block\n${environment}####`,
      ...fedoraFiles(options),
    })
  ).find(({ isDefault }) => isDefault);

test("Fedora's default is the saved entry, and the second one after starts that failed", async () => {
  const saved = `saved_entry=${fedoraId('6.8.5-301.fc40.x86_64')}\n`;
  const older = `saved_entry=${fedoraId('6.7.1-200.fc39.x86_64')}\n`;
  const titleOf = async (environment: string) => (await fedoraDefault(environment))?.title;
  expect(await titleOf(saved)).toBe('Fedora 6.8.5-301.fc40.x86_64');
  expect(await titleOf(older)).toBe('Fedora 6.7.1-200.fc39.x86_64');
  expect(await titleOf('')).toBe('Fedora 6.8.5-301.fc40.x86_64');
  const counted = `${saved}boot_success=0\n`;
  expect(await titleOf(`${counted}boot_counter=1\n`)).toBe('Fedora 6.8.5-301.fc40.x86_64');
  expect(await titleOf(`${counted}boot_counter=0\n`)).toBe('Fedora 6.7.1-200.fc39.x86_64');
  expect(await titleOf(`${saved}boot_success=1\nboot_counter=0\n`)).toBe(
    'Fedora 6.8.5-301.fc40.x86_64',
  );
});

test('a default that is set by hand behind all others counts', async () => {
  const files = {
    'boot/grub2/grub.cfg': `${fedoraMenu}if [ -n "$\{a}" ]; then\n  set b=c\nfi\nset default=1\n`,
    ...fedoraFiles(''),
  };
  const found = (await entriesOf(files)).find(({ isDefault }) => isDefault);
  expect(found?.title).toBe('Fedora 6.7.1-200.fc39.x86_64');
});

test("RHEL 8's command line is in grubenv, else in the menu", async () => {
  const block = 'kernelopts=root=UUID=b ro single \n';
  expect(await fedoraDefault(block, '$kernelopts $tuned_params')).toMatchObject({
    options: 'root=UUID=b ro single',
    saved: { path: '/boot/grub2/grubenv', words: ['root=UUID=b', 'ro', 'single'] },
  });
  expect(await fedoraDefault('', '$kernelopts audit=1')).toMatchObject({
    options: 'root=UUID=a ro quiet audit=1',
    saved: { path: '/boot/grub2/grub.cfg' },
  });
  expect(await fedoraDefault(block)).toMatchObject({ options: 'root=UUID=a ro', saved: null });
});

test('RHEL 7 and 8 have the menu for UEFI beside the programs on the EFI partition', async () => {
  const rhel7 = {
    'boot/grub2/grubenv': { link: '../efi/EFI/redhat/grubenv' },
    'boot/efi/EFI/redhat/grubenv': '# GRUB Environment Block\nsaved_entry=old\n####',
    'boot/efi/EFI/redhat/grub.cfg': `set default="${variable('saved_entry')}"
menuentry 'new' $menuentry_id_option 'new' { linuxefi /vmlinuz-2 root=UUID=a ro
  initrdefi /initramfs-2.img
}
menuentry 'old' $menuentry_id_option 'old' { linuxefi /vmlinuz-1 root=UUID=a ro }
`,
    'boot/vmlinuz-1': 'k',
  };
  expect((await entriesOf(rhel7)).find(({ isDefault }) => isDefault)).toMatchObject({
    title: 'old',
    kernelPath: '/boot/vmlinuz-1',
    path: '/boot/efi/EFI/redhat/grub.cfg',
  });
  const rhel8 = {
    ...fedoraFiles('root=UUID=a'),
    'etc/grub2-efi.cfg': { link: '../boot/efi/EFI/rocky/grub.cfg' },
    'boot/efi/EFI/rocky/grub.cfg': fedoraMenu,
    // What a system that is gone has left does not count.
    'boot/efi/EFI/centos/grub.cfg': "menuentry 'gone' { linuxefi /vmlinuz-9 }\n",
  };
  expect((await entriesOf(rhel8)).map(({ title }) => title)).toEqual([
    'Fedora 6.8.5-301.fc40.x86_64',
    'Fedora 6.7.1-200.fc39.x86_64',
    'Fedora 0-rescue',
  ]);
  const stub = {
    ...rhel8,
    'boot/efi/EFI/rocky/grub.cfg':
      'search --no-floppy --fs-uuid --set=dev a\nset prefix=($dev)/grub2\nexport $prefix\nconfigfile $prefix/grub.cfg\n',
  };
  expect(await entriesOf(stub)).toEqual([]);
});

test('a subvolume of btrfs that is /boot stands in front of the path', async () => {
  const files = {
    'boot/grub/grub.cfg': 'menuentry a { linux /@boot/vmlinuz-1 root=UUID=a\ninitrd /@boot/i }\n',
    'boot/vmlinuz-1': 'k',
    'boot/i': 'i',
  };
  const table = 'UUID=a / btrfs subvol=@ 0 0\nUUID=a /boot btrfs defaults,subvol=/@boot 0 0\n';
  const pathsOf = async (fstab: string) =>
    (await entriesOf({ ...files, 'etc/fstab': fstab })).map(({ kernelPath, initrdPaths }) => [
      kernelPath,
      ...initrdPaths,
    ]);
  expect(await pathsOf(table)).toEqual([['/boot/vmlinuz-1', '/boot/i']]);
  expect(await pathsOf('UUID=a / btrfs subvol=@ 0 0\n')).toEqual([[null, null]]);
});

test("systemd-boot's default is a pattern of file names, else the first of its menu", async () => {
  const entry = (title: string, more: string) => `title ${title}\nlinux /k\n${more}\n`;
  const files = {
    'boot/efi/loader/entries/a-1.conf': entry('a1', 'sort-key debian\nversion 1'),
    'boot/efi/loader/entries/a-2+3-1.conf': entry('a2', 'sort-key debian\nversion 2'),
    'boot/efi/loader/entries/z.conf': entry('z', ''),
  };
  const titleOf = async (config: string) =>
    (await entriesOf({ ...files, 'boot/efi/loader/loader.conf': config })).find(
      ({ isDefault }) => isDefault,
    )?.title;
  expect(await titleOf('timeout 3\n')).toBe('a2');
  expect(await titleOf('default a-1.conf\n')).toBe('a1');
  expect(await titleOf('default z*\n')).toBe('z');
  expect(await titleOf('default [broken\n')).toBe('a2');
  expect(await entriesOf(files)).toEqual([]);
});

test('what the parser of GRUB would stop at is named with its line', () => {
  const problemOf = (text: string) => parseGrubScript(text).problem;
  expect(problemOf(recorded('grub/bookworm.cfg'))).toBeNull();
  expect(problemOf('\nmenuentry "a" {\n linux /k\n')).toEqual({
    line: 2,
    reason: 'a brace is never closed',
  });
  expect(problemOf("set a='b\nset c=d\n")?.reason).toBe('a quotation mark is never closed');
  expect(problemOf('if [ a ]; then\n set b=c\n')?.reason).toBe('an "if" has no "fi"');
  expect(problemOf('# if "\nset a=b#c }\n')?.line).toBe(2);
});

test('no text makes the parser fail or nest without end', () => {
  const pieces = fc.constantFrom(
    ...['menuentry', "'", '"', '{', '}', '\n', ';', ' ', '\\', '$', '#', 'if', 'fi', 'a'],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 200 }), (parts) => {
      const { commands } = parseGrubScript(parts.join(''));
      expect(Array.isArray(commands)).toBe(true);
    }),
  );
  expect(() => parseGrubScript('a {\n'.repeat(20_000))).not.toThrow();
});
