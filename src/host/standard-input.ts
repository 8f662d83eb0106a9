/** More than this is no passphrase. */
const maxBytes = 1024 * 1024;

/** All of standard input, which can be read once. Null when it is longer than any passphrase. */
export const readStandardInput = async (): Promise<string | null> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const piece = Buffer.from(chunk as Buffer | string);
    bytes += piece.length;
    if (bytes > maxBytes) return null;
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
};
