import type { Command } from '../host/command.ts';

const script =
  'count=$1; shift; while [ "$count" -gt 0 ]; do mount --bind /dev/null "$1" || exit 125; shift; count=$((count - 1)); done; exec "$@"';

/**
 * The words of a program of btrfs-progs that must not see copies of the devices it works on. It
 * looks for members of the file system on all block devices, by UUID; so it runs in a mount
 * namespace of its own in which the nodes of the copies lead nowhere.
 */
export const hidingCopies = (
  copies: readonly string[],
  program: string,
  args: readonly string[],
): Pick<Command, 'program' | 'args'> =>
  copies.length === 0
    ? { program, args }
    : {
        program: 'unshare',
        args: [
          '--mount',
          '--propagation',
          'slave',
          'sh',
          '-c',
          script,
          'sh',
          String(copies.length),
          ...copies,
          program,
          ...args,
        ],
      };
