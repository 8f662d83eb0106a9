const escapeByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

/** `/` becomes `-`, and everything but letters, digits and `:_.` is written as its bytes. */
const escapePart = (part: string, place: number): string =>
  [...Buffer.from(part, 'utf8')]
    .map((byte, index) => {
      const letter = String.fromCharCode(byte);
      const plain = /[A-Za-z0-9:_]/.test(letter) || (letter === '.' && (index > 0 || place > 0));
      return plain ? letter : escapeByte(byte);
    })
    .join('');

/** The unit of a mount point: `srv-a\x2db.mount` for `/srv/a-b` (systemd.unit(5), systemd-escape(1)). */
export const mountUnitName = (path: string): string => {
  const parts = path.split('/').filter((part) => part !== '');
  return `${parts.length === 0 ? '-' : parts.map(escapePart).join('-')}.mount`;
};
