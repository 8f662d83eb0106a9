import type { Host } from '../host/host.ts';
import { notInstalled, testPacked, unpackerOf } from './compressed.ts';
import type { SystemFiles } from './system-files.ts';

/** Places in the setup header (kernel: Documentation/arch/x86/boot.rst). */
const setupSectorsAt = 0x1f1;
const sysSizeAt = 0x1f4;
const magicAt = 0x202;
const versionAt = 0x206;
const payloadOffsetAt = 0x248;
const payloadLengthAt = 0x24c;
const headerBytes = 0x260;
const sectorBytes = 512;

export type SetupHeader = {
  /** Bytes that the file must have at least; a signature may follow. */
  readonly sizeBytes: number;
  /** The compressed kernel within the file; null before protocol 2.08. */
  readonly payload: { readonly offsetBytes: number; readonly lengthBytes: number } | null;
};

/** Reads the head of a bzImage; null when it is none. */
export const parseSetupHeader = (head: Buffer): SetupHeader | null => {
  if (head.length < headerBytes || head.toString('latin1', magicAt, magicAt + 4) !== 'HdrS') {
    return null;
  }
  // Zero means four, from the times of the floppy disk.
  const setupBytes = ((head.readUInt8(setupSectorsAt) || 4) + 1) * sectorBytes;
  const sizeBytes = setupBytes + head.readUInt32LE(sysSizeAt) * 16;
  const payload =
    head.readUInt16LE(versionAt) < 0x208
      ? null
      : {
          offsetBytes: setupBytes + head.readUInt32LE(payloadOffsetAt),
          lengthBytes: head.readUInt32LE(payloadLengthAt),
        };
  return { sizeBytes, payload };
};

/** Packed data never have a run of zeros of this length; a block that was never written has. */
const hole = Buffer.alloc(4096);

const pieceBytes = 4 * 1024 * 1024;

/** Whether a part of the packed kernel is nothing but zeros. Not every packing has a checksum. */
const hasHole = async (
  files: SystemFiles,
  path: string,
  offsetBytes: number,
  lengthBytes: number,
): Promise<boolean> => {
  const end = offsetBytes + lengthBytes;
  for (let at = offsetBytes; at < end; at += pieceBytes) {
    // Overlapping, so that a hole across two pieces is seen.
    const length = Math.min(pieceBytes + hole.length, end - at);
    if ((await files.bytes(path, length, at))?.includes(hole) === true) return true;
  }
  return false;
};

const payloadDamage = async (
  host: Host,
  files: SystemFiles,
  path: string,
  hostPath: string,
  { payload }: SetupHeader,
): Promise<string | null> => {
  if (payload === null || payload.lengthBytes < 8) return null;
  if (await hasHole(files, path, payload.offsetBytes, payload.lengthBytes)) {
    return 'a part of it is nothing but zeros';
  }
  const words = unpackerOf((await files.bytes(path, 8, payload.offsetBytes)) ?? Buffer.alloc(0));
  // A kernel may be packed in a way that is not known here, or not at all.
  if (words === null) return null;
  const packed = {
    hostPath,
    offsetBytes: payload.offsetBytes,
    // The last four bytes are the unpacked size, which no unpacking program expects.
    lengthBytes: payload.lengthBytes - (words[0] === 'gzip' ? 0 : 4),
    words,
  };
  const { unpack } = await testPacked(host, packed);
  return unpack === 0 || unpack === notInstalled
    ? null
    : `${words[0]} cannot unpack the kernel in it to its end`;
};

/**
 * What is wrong with a kernel image, in words; null when nothing can be seen to be wrong.
 *
 * @param architecture as `uname -m` says; only x86 images are looked into.
 * @param deep also unpacks it (a fifth of a second).
 */
export const kernelImageDamage = async (
  host: Host,
  files: SystemFiles,
  path: string,
  architecture: string | null,
  deep: boolean,
): Promise<string | null> => {
  const found = await files.locate(path);
  if (found === null) return 'it is missing';
  if (found.status.kind !== 'file') return 'it is no regular file';
  const { sizeBytes } = found.status;
  if (sizeBytes === 0) return 'it is empty';
  // The first four bytes tell what it is, whatever the machine.
  if (sizeBytes < 4)
    return `it has no more than ${sizeBytes} ${sizeBytes === 1 ? 'byte' : 'bytes'}`;
  const head = await files.bytes(path, headerBytes);
  if (head === null || head.every((byte) => byte === 0)) return 'it begins with nothing but zeros';
  const isX86 = architecture === 'x86_64' || /^i[3-6]86$/.test(architecture ?? '');
  // A unified image and kernels of other machines have other heads.
  if (!isX86 || /\.efi$/i.test(path)) return null;
  const header = parseSetupHeader(head);
  // Some distributions ship the plain ELF file for a hypervisor that starts it directly.
  if (header === null) {
    return head.length >= 4 && head.readUInt32BE(0) === 0x7f454c46
      ? null
      : 'it does not begin as a Linux kernel does';
  }
  if (found.status.sizeBytes < header.sizeBytes) {
    return `it has ${found.status.sizeBytes} bytes of ${header.sizeBytes}: it is cut off`;
  }
  return deep ? payloadDamage(host, files, path, found.hostPath, header) : null;
};
