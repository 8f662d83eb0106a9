import type { SystemFiles } from './system-files.ts';

/** Places in a PE image (Microsoft: PE Format). */
const peOffsetAt = 0x3c;
const sectionCountAt = 6;
const optionalSizeAt = 20;
const fileHeaderBytes = 24;
const sectionBytes = 40;
const maxSections = 96;
const maxLineBytes = 64 * 1024;

type Section = { readonly offsetBytes: number; readonly lengthBytes: number };

/** Where a section lies in the file; null when the header is no PE header or has no such section. */
const findSection = (head: Buffer, name: string): Section | null => {
  if (head.length < peOffsetAt + 4 || head.toString('latin1', 0, 2) !== 'MZ') return null;
  const at = head.readUInt32LE(peOffsetAt);
  if (head.length < at + fileHeaderBytes) return null;
  if (head.toString('latin1', at, at + 4) !== 'PE\0\0') return null;
  const count = Math.min(head.readUInt16LE(at + sectionCountAt), maxSections);
  const table = at + fileHeaderBytes + head.readUInt16LE(at + optionalSizeAt);
  for (let index = 0; index < count; index += 1) {
    const entry = table + index * sectionBytes;
    if (head.length < entry + sectionBytes) return null;
    if (head.toString('latin1', entry, entry + 8).replace(/\0+$/, '') !== name) continue;
    // In the file it may be padded, in memory it is as long as it is.
    const lengthBytes = Math.min(head.readUInt32LE(entry + 8), head.readUInt32LE(entry + 16));
    return { offsetBytes: head.readUInt32LE(entry + 20), lengthBytes };
  }
  return null;
};

/**
 * The kernel's command line that a unified kernel image carries in its section `.cmdline`
 * (systemd-stub(7)); null when it carries none or is no such image.
 */
export const unifiedCommandLine = async (
  files: SystemFiles,
  path: string,
): Promise<string | null> => {
  const head = await files.bytes(path, 8192);
  const section = head === null ? null : findSection(head, '.cmdline');
  if (section === null) return null;
  const length = Math.min(section.lengthBytes, maxLineBytes);
  const text = length === 0 ? null : await files.bytes(path, length, section.offsetBytes);
  return text === null ? null : text.toString('utf8').replace(/\0.*$/s, '').trim();
};
