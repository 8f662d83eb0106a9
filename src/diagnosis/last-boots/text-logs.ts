import { plainText } from '../../host/plain-text.ts';
import type { Subject } from '../subject.ts';

const logs = [
  '/var/log/kern.log',
  '/var/log/syslog',
  '/var/log/messages',
  '/var/log/dmesg',
  '/var/log/boot.log',
];
const endBytes = 2 ** 20;

export type KernelLine = { readonly path: string; readonly message: string };

/** What stands before the message: `Nov  2 03:11:09 web-3 kernel: [   12.3] `, or an ISO time. */
const kernelPart = (line: string): string | null =>
  /^(?:\S+ +\d+ [\d:]+|\d{4}-\S+) \S+ kernel: (.*)$/.exec(line)?.[1] ??
  /^(?:kern\s*:\w+\s*:\s*)?(\[\s*\d+\.\d+\] .*)$/.exec(line)?.[1] ??
  null;

const readEnd = async ({ files, host }: Subject, path: string): Promise<string> => {
  const place = await files.locate(path);
  if (place?.status.kind !== 'file') return '';
  const from = Math.max(place.status.sizeBytes - endBytes, 0);
  return (await host.files.readUntrusted(place.hostPath, endBytes, from))?.toString('utf8') ?? '';
};

/** The kernel's lines since its last start, from the logs that syslog writes. */
export const readTextLogs = async (subject: Subject): Promise<readonly KernelLine[]> => {
  const all = await Promise.all(
    logs.map(async (path) => {
      const lines = (await readEnd(subject, path)).split('\n').flatMap((line) => {
        const message = kernelPart(line);
        return message === null ? [] : [{ path, message: plainText(message).slice(0, 500) }];
      });
      const start = lines.findLastIndex(({ message }) => /Linux version \S+/.test(message));
      return lines.slice(Math.max(start, 0));
    }),
  );
  // kern.log and syslog hold the same lines.
  return all.find((lines) => lines.length > 0) ?? [];
};
