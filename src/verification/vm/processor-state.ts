/** What a processor of the machine is running, as far as its registers tell. */
export type ProcessorState =
  | 'firmware-or-loader'
  /** Waits for an interrupt with interrupts switched off: nothing comes any more. */
  | 'halted'
  | 'kernel'
  | 'user-space';

const hex = (text: string, name: string): bigint | null => {
  const digits = new RegExp(`\\b${name}=([0-9a-f]+)`, 'i').exec(text)?.[1];
  return digits === undefined ? null : BigInt(`0x${digits}`);
};

/** Kernels run in the upper half of the address space: Linux on x86-64 and i386 (mm.rst). */
const kernelHalf = 0xffff_8000_0000_0000n;
const kernelHalf32 = 0xc000_0000n;
const paging = 1n << 31n;

/** Bit of EFLAGS that lets interrupts in. Under KVM the kernel knows of the halt, not QEMU. */
const interrupts = 1n << 9n;

const isHalted = (registers: string): boolean =>
  /\bHLT=1/.test(registers) &&
  ((hex(registers, 'EFL') ?? hex(registers, 'RFL') ?? interrupts) & interrupts) === 0n;

/**
 * Reads the text of QEMU's `info registers`. Firmware and boot loaders run at the addresses where
 * they lie in memory, so a program counter in the upper half is a kernel, also when its console is
 * silent.
 */
export const processorState = (registers: string): ProcessorState => {
  const control = hex(registers, 'CR0') ?? 0n;
  const privilege = Number(/\bCPL=(\d)/.exec(registers)?.[1] ?? 0);
  const low = isHalted(registers) ? 'halted' : 'firmware-or-loader';
  if ((control & paging) === 0n) return low;
  if (privilege === 3) return 'user-space';
  const long = hex(registers, 'RIP');
  if (long !== null) return long >= kernelHalf ? 'kernel' : low;
  const short = hex(registers, 'EIP');
  return short !== null && short >= kernelHalf32 ? 'kernel' : low;
};
