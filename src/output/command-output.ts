import { StringDecoder } from 'node:string_decoder';
import { plainText } from '../host/plain-text.ts';

const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };

/** Line ends and tabs are harmless, everything else that steers a terminal is taken out. */
const forTerminal = (text: string): string =>
  text
    .split(/([\n\t])/)
    .map((part) => (part === '\n' || part === '\t' ? part : plainText(part)))
    .join('');

/**
 * Passes on what a command in the system writes. Into a pipe or file byte for byte; on a terminal
 * without control sequences, for the text comes from the disk.
 */
export const writeCommandOutput = (stream: 'stdout' | 'stderr', chunk: Buffer): void => {
  const out = process[stream];
  out.write(out.isTTY ? forTerminal(decoders[stream].write(chunk)) : chunk);
};
