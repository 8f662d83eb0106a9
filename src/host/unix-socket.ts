import { open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';

/** sun_path of unix(7) has 108 bytes with its end. */
const longestPath = 107;

const opened = (path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', reject);
  });

/**
 * Connects to a unix socket, also where its path is longer than the kernel takes.
 *
 * @throws Error `ENOENT` or `ECONNREFUSED` while nobody listens there.
 */
export const connectUnixSocket = async (path: string): Promise<Socket> => {
  if (Buffer.byteLength(path) <= longestPath) return opened(path);
  const directory = await open(dirname(path));
  try {
    return await opened(`/proc/self/fd/${directory.fd}/${basename(path)}`);
  } finally {
    await directory.close();
  }
};
