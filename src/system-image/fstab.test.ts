import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  encodeFstabField,
  firstRoot,
  formatFstabEntry,
  inMountOrder,
  normalTarget,
  optionValue,
  parseFstab,
} from './fstab.ts';

const one = (text: string) => parseFstab(text).entries[0];

test('the table that the Debian installer writes is read with its line numbers', () => {
  const { entries, problems } = parseFstab(
    `# /etc/fstab: static file system information.
#
# <file system> <mount point>   <type>  <options>       <dump>  <pass>
# / was on /dev/sda1 during installation
UUID=0a3407de-014b-458b-b5c1-848e92a327a3 /               ext4    errors=remount-ro 0       1
UUID=1B2C-3D4E  /boot/efi       vfat    umask=0077      0       1
UUID=f3d1 none            swap    sw              0       0
/dev/sr0        /media/cdrom0   udf,iso9660 user,noauto     0       0
`,
  );
  expect(problems).toEqual([]);
  expect(entries.map((entry) => [entry.line, entry.target, entry.fsType, entry.pass])).toEqual([
    [5, '/', 'ext4', 1],
    [6, '/boot/efi', 'vfat', 1],
    [7, 'none', 'swap', 0],
    [8, '/media/cdrom0', 'udf,iso9660', 0],
  ]);
});

test('the table of a cloud image with tabs is read', () => {
  const { entries } = parseFstab(
    'LABEL=cloudimg-rootfs\t/\t ext4\tdiscard,commit=30,errors=remount-ro\t0 1\nLABEL=UEFI\t/boot/efi\tvfat\tumask=0077\t0 1\n',
  );
  expect(entries[0]?.options).toEqual(['discard', 'commit=30', 'errors=remount-ro']);
  expect(entries[1]?.target).toBe('/boot/efi');
});

test('a comma in double quotes does not part options', () => {
  const options = (text: string) => one(`/dev/sdb1 /data xfs ${text} 0 0`)?.options;
  expect(options('ro,context="system_u:object_r:t:s0:c1,c2",nodev')).toEqual([
    'ro',
    'context="system_u:object_r:t:s0:c1,c2"',
    'nodev',
  ]);
  expect(options('a="b,c')).toEqual(['a="b', 'c']);
  expect(options(',,rw,,')).toEqual(['rw']);
});

test('missing fields from the third on have their defaults', () => {
  expect(one('/dev/sdb1 /data xfs defaults')).toMatchObject({ dump: 0, pass: 0 });
  expect(one('/dev/sdb1 /data xfs')?.options).toEqual(['defaults']);
  expect(one('/dev/sdb1 /data xfs defaults 010')).toMatchObject({ dump: 10, pass: 0 });
  expect(parseFstab('/dev/sdb1 /data xfs defaults 1').problems).toEqual([]);
});

test('a line with two fields is kept and reported, one with one field only reported', () => {
  const { entries, problems } = parseFstab('/dev/sdb1 /data\n/dev/sdc1\n');
  expect(entries.map((entry) => entry.fsType)).toEqual(['auto']);
  expect(problems.map((problem) => problem.line)).toEqual([1, 2]);
});

test('a blank in the options, which makes mount(8) drop the line, is reported', () => {
  const { entries, problems } = parseFstab('/dev/sdb1 /data ext4 defaults, noatime 0 2');
  expect(entries).toHaveLength(1);
  expect(problems[0]?.reason).toMatch(/mount\(8\) ignores the whole line/);
});

test('a comment after the sixth field is no problem, one after the fourth is', () => {
  expect(parseFstab('/dev/sdb1 /data ext4 defaults 0 2 # data').problems).toEqual([]);
  expect(parseFstab('/dev/sdb1 /data ext4 defaults # data').problems).toHaveLength(1);
});

test('octal escapes are bytes', () => {
  expect(one('/dev/sdb1 /my\\040disk\\011\\134\\303\\244 ext4')?.target).toBe('/my disk\t\\ä');
});

test('CRLF and a byte order mark are read over and reported', () => {
  const { entries, problems } = parseFstab('\ufeff/dev/sda1 / ext4 defaults 0 1\r\n# end\r\n\r\n');
  expect(entries).toMatchObject([{ spec: '/dev/sda1', target: '/', pass: 1 }]);
  expect(problems.map((problem) => problem.reason)).toEqual([
    'a byte order mark stands before it',
    'it ends with a carriage return (a file from Windows)',
  ]);
});

test('of several roots the first one counts, and //  is a root too', () => {
  const { entries } = parseFstab('/dev/sda3 /home ext4\n/dev/sda1 // ext4\n/dev/sda2 / ext4\n');
  expect(firstRoot(entries)?.spec).toBe('/dev/sda1');
  expect(firstRoot([])).toBeNull();
});

test('a mount point comes after the one above it', () => {
  const { entries } = parseFstab('e /boot/efi vfat\nb /boot ext4\nv /var/ ext4\nr / ext4\n');
  expect(inMountOrder(entries).map((entry) => entry.spec)).toEqual(['r', 'b', 'v', 'e']);
});

test('the last value of an option counts', () => {
  expect(optionValue(['rw', 'subvol=@', 'subvol=/@/x=y'], 'subvol')).toBe('/@/x=y');
  expect(optionValue(['rw', 'subvolid=256'], 'subvol')).toBeNull();
});

test('problems carry no control characters', () => {
  expect(parseFstab('\u001b]0;title\u0007only-one-field').problems[0]?.text).toBe('only-one-field');
});

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const option = fc.stringMatching(/^[a-z][a-z0-9=_.@/-]{0,10}$/);

test('an entry that is written and read again is the same entry', () => {
  fc.assert(
    fc.property(
      word,
      word,
      fc.stringMatching(/^[a-z0-9.]{1,10}$/),
      fc.array(option, { minLength: 1, maxLength: 4 }),
      fc.nat(9),
      fc.nat(9),
      (spec, target, fsType, options, dump, pass) => {
        const entry = { line: 1, spec, target: `/${target}`, fsType, options, dump, pass };
        expect(parseFstab(formatFstabEntry(entry))).toEqual({ entries: [entry], problems: [] });
      },
    ),
  );
});

test('an encoded field never ends the field, the line or starts a comment', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(encodeFstabField(text)).not.toMatch(/[ \t\n\r#]/);
    }),
  );
});

test('any text is read without an error, and each line gives an entry or a problem', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme-ascii' }), { maxLength: 6 }), (lines) => {
      const { entries, problems } = parseFstab(lines.join('\n'));
      const seen = new Set([...entries, ...problems].map((item) => item.line));
      const filled = lines.flatMap((line, index) =>
        /^[ \t]*[^ \t\r#]/.test(line) ? [index + 1] : [],
      );
      expect([...seen].sort((a, b) => a - b)).toEqual(filled);
    }),
  );
});

test('a normal target is absolute, has no doubled slashes, and stays as it is the second time', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const target = normalTarget(`/${text}`);
      expect(target).toMatch(/^\//);
      expect(target).not.toContain('//');
      expect(normalTarget(target)).toBe(target);
    }),
  );
});
