import type { CrypttabEntry } from './system-facts.ts';

const lastValue = (words: readonly string[], name: string): string | null =>
  words.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;

const valuesOf = (words: readonly string[], names: readonly string[]): readonly string[] =>
  words.flatMap((word) => {
    const [, name = '', value = ''] = /^([^=]+)=(.+)$/.exec(word) ?? [];
    return names.includes(name) ? [value] : [];
  });

type Named = { readonly source: string; readonly name: string };

/** `cryptdevice=DEVICE:NAME[:OPTIONS]` of mkinitcpio's hook `encrypt`. */
const ofEncryptHook = (value: string): readonly Named[] => {
  const [, source, name] = /^([^:]+):([^:]+)/.exec(value) ?? [];
  return source === undefined || name === undefined ? [] : [{ source, name }];
};

/** `rd.luks.name=UUID=NAME` of systemd-cryptsetup-generator(8). */
const ofLuksName = (value: string): readonly Named[] => {
  const [, uuid, name] = /^([^=]+)=([^=]+)$/.exec(value) ?? [];
  return uuid === undefined || name === undefined ? [] : [{ source: `UUID=${uuid}`, name }];
};

/** `rd.luks.uuid=UUID`: dracut and systemd make the name. */
const ofLuksUuid = (value: string): Named => {
  const uuid = value.replace(/^luks-/, '');
  return { source: `UUID=${uuid}`, name: `luks-${uuid}` };
};

/** `cryptroot=DEVICE cryptdm=NAME` of Alpine, `crypt_root=DEVICE` of Gentoo. */
const ofOneRoot = (words: readonly string[]): readonly Named[] => {
  const alpine = lastValue(words, 'cryptroot');
  const name = lastValue(words, 'cryptdm');
  const gentoo = lastValue(words, 'crypt_root');
  return [
    ...(alpine === null || name === null ? [] : [{ source: alpine, name }]),
    ...(gentoo === null ? [] : [{ source: gentoo, name: 'root' }]),
  ];
};

/**
 * The encrypted volumes that an initramfs opens because the kernel's command line says so, as lines
 * of crypttab with the number 0: systems that name their root there need no such file.
 */
export const volumesOfCommandLine = (options: string): readonly CrypttabEntry[] => {
  const words = options.split(/\s+/).map((word) => word.replaceAll('"', ''));
  const named = [
    ...valuesOf(words, ['cryptdevice']).flatMap(ofEncryptHook),
    ...valuesOf(words, ['rd.luks.name', 'luks.name']).flatMap(ofLuksName),
    ...ofOneRoot(words),
    ...valuesOf(words, ['rd.luks.uuid', 'luks.uuid']).map(ofLuksUuid),
  ];
  return named.map(({ name, source }) => ({
    ...{ line: 0, name, source, keyFile: null, options: [], kind: 'luks' },
  }));
};
