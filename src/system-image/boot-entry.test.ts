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
