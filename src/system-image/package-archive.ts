import type { SystemFiles } from './system-files.ts';

/** A member of an archive of the ar(1) format, as .deb files are (deb(5)). */
export type ArMember = {
  readonly name: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
};

const magic = '!<arch>\n';
const headerBytes = 60;
/** A .deb has three members. */
const mostMembers = 16;

/** Reads the headers of an ar archive; null when it is none. */
export const readArMembers = async (
  files: SystemFiles,
  path: string,
): Promise<readonly ArMember[] | null> => {
  const start = await files.bytes(path, magic.length);
  if (start?.toString('latin1') !== magic) return null;
  const members: ArMember[] = [];
  let at = magic.length;
  while (members.length < mostMembers) {
    const header = (await files.bytes(path, headerBytes, at))?.toString('latin1') ?? '';
    const length = Number.parseInt(header.slice(48, 58), 10);
    if (header.length < headerBytes || !Number.isSafeInteger(length) || length < 0) break;
    const name = header.slice(0, 16).trim().replace(/\/$/, '');
    members.push({ name, offsetBytes: at + headerBytes, lengthBytes: length });
    // Members begin at even offsets.
    at += headerBytes + length + (length % 2);
  }
  return members;
};
