import type { Host } from '../host/host.ts';
import { usageError } from '../host/rescue-error.ts';
import { readStandardInput } from '../host/standard-input.ts';
import type { LuksHeader, Secret } from '../storage/layer.ts';

const typeIt = 'On a terminal leave the option out: you are asked.';

const readPassphraseFile = async (host: Host, file: string): Promise<string> => {
  if (file === '-') {
    if (process.stdin.isTTY === true) {
      throw usageError('--passphrase-file -: standard input is the terminal here.', typeIt);
    }
    const text = await readStandardInput();
    if (text === null) throw usageError('--passphrase-file -: that is too long for a passphrase.');
    return text;
  }
  const text = await host.files.readText(file).catch(() => null);
  if (text === null) throw usageError(`--passphrase-file ${file}: the file cannot be read.`);
  return text;
};

/**
 * The passphrase in a file as one would type it: a newline at the end is Enter, and no part of it.
 *
 * @throws RescueError usage (2) for what nobody can type.
 */
export const passphraseIn = (text: string, name: string): string => {
  const passphrase = text.endsWith('\n') ? text.slice(0, -1) : text;
  const asKey = 'A file whose every byte counts is a key file: --key-file FILE';
  if (passphrase === '') throw usageError(`--passphrase-file ${name}: there is no passphrase.`);
  if (passphrase.includes('\n')) {
    throw usageError(`--passphrase-file ${name}: there are several lines.`, asKey);
  }
  if (/[\ufffd\0]/.test(passphrase)) {
    throw usageError(`--passphrase-file ${name}: this is no text in UTF-8.`, asKey);
  }
  return passphrase;
};

const keyFile = async (host: Host, path: string): Promise<Secret> => {
  const status = await host.files.statusFollowed(path).catch(() => null);
  if (status === null || status.kind === 'directory') {
    throw usageError(`--key-file ${path}: there is no such file.`);
  }
  return { kind: 'key-file', path };
};

/** The secrets that were given, in the order in which they are tried. @throws usage (2) */
export const readSecrets = async (
  host: Host,
  given: { readonly passphraseFile?: string | undefined; readonly keyFile?: string | undefined },
): Promise<readonly Secret[]> => {
  const secrets: Secret[] = [];
  if (given.keyFile === '-') {
    throw usageError('--key-file wants a file.', 'From standard input: --passphrase-file -');
  }
  if (given.keyFile !== undefined) secrets.push(await keyFile(host, given.keyFile));
  if (given.passphraseFile !== undefined) {
    const text = await readPassphraseFile(host, given.passphraseFile);
    secrets.push({ kind: 'passphrase', text: passphraseIn(text, given.passphraseFile) });
  }
  return secrets;
};

const readHeader = async (host: Host, text: string): Promise<LuksHeader> => {
  const isFile = async (path: string) => {
    const kind = (await host.files.statusFollowed(path).catch(() => null))?.kind;
    return kind === 'file' || kind === 'block';
  };
  const resolved = async (path: string) => (await host.files.realPath(path)) ?? path;
  if (await isFile(text)) return { device: null, path: await resolved(text) };
  const [, device = '', file = ''] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (device === '' || !(await isFile(file))) {
    throw usageError(
      `--luks-header ${text}: there is no such file.`,
      'It wants FILE, or DEVICE=FILE when several devices may be meant.',
    );
  }
  // A link is resolved; `p3` is a partition of an image.
  const node = device.startsWith('/') ? await resolved(device) : device;
  return { device: node, path: await resolved(file) };
};

/** Detached headers with their devices. @throws usage (2) */
export const readHeaders = async (
  host: Host,
  texts: readonly string[],
): Promise<readonly LuksHeader[]> => {
  const headers = await Promise.all(texts.map((text) => readHeader(host, text)));
  if (headers.length > 1 && headers.some(({ device }) => device === null)) {
    throw usageError('Of several --luks-header each needs its device: DEVICE=FILE.');
  }
  return headers;
};
