import { expect, test } from 'vitest';
import { processorState } from './processor-state.ts';

/** As QEMU 7.2 prints it, shortened to what is read. */
const registers = (rip: string, flags: string, privilege: number, halted: number): string =>
  [
    'CPU#0',
    'RAX=0000000000000000 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000000000000',
    `RIP=${rip} RFL=${flags} [---Z-P-] CPL=${privilege} II=0 A20=1 SMM=0 HLT=${halted}`,
    'CR0=80050033 CR2=0000000000000000 CR3=000000000220a000 CR4=000006f0',
  ].join('\r\n');

test.for([
  ['firmware-or-loader', registers('000000003e5c1a2b', '00000246', 0, 0)],
  ['firmware-or-loader', registers('000000003e5c1a2b', '00000246', 0, 1)],
  ['kernel', registers('ffffffff81c0a4d2', '00000246', 0, 1)],
  ['user-space', registers('00007f3c2a5e1b40', '00000206', 3, 0)],
] as const)('the processor is seen in %s', ([state, text]) => {
  expect(processorState(text)).toBe(state);
});

test('a processor that sleeps without interrupts is halted for good', () => {
  expect(processorState(registers('0000000001a3f2c0', '00000046', 0, 1))).toBe('halted');
});
