import type { Change } from '../../changes/change.ts';
import { defaultsPath } from '../../diagnosis/boot-loader/default-grub.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';

/**
 * Sets a variable in /etc/default/grub: the last line that gives it is replaced, or one is added.
 * Every other byte stays, a comment behind the value, too.
 *
 * @param value without quotes and anything that a shell would expand.
 * @returns null when the value cannot be written safely, or the file cannot be read.
 */
export const setDefault = async (
  files: SystemFiles,
  name: string,
  value: string,
): Promise<Change | null> => {
  const text = await files.readForEdit(defaultsPath);
  if (text === null || /["$`\\\n]/.test(value)) return null;
  return { kind: 'write-file', path: defaultsPath, content: withSetting(text, name, value) };
};

/** An assignment that is whole with a comment behind it. */
const commented = /^[^=]*=(?:"[^"]*"|'[^']*'|[^\s"'#]*)(\s+#.*?)\s*$/;

/** The text with the variable set; see `setDefault`. */
export const withSetting = (text: string, name: string, value: string): string => {
  const line = `${name}="${value}"`;
  const lines = text.split(/(?<=\n)/);
  const at = lines.findLastIndex((one) => new RegExp(`^\\s*(?:export\\s+)?${name}=`).test(one));
  if (at === -1) {
    const end = text === '' || text.endsWith('\n') ? '' : '\n';
    return `${text}${end}${line}\n`;
  }
  const before = lines[at] ?? '';
  const ending = /\r?\n$/.exec(before)?.[0] ?? '';
  const comment = commented.exec(before)?.[1] ?? '';
  return lines.map((one, index) => (index === at ? `${line}${comment}${ending}` : one)).join('');
};
