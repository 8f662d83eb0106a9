import { expect, test } from 'vitest';
import { processorState } from './processor-state.ts';

/** Of `info registers`, what is looked at. */
const registers = (counter: string, more = 'EFL=00000202 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0') =>
  `CPU#0\nRAX=0000000000000000 RBX=0000000000000001\n${counter} ${more}\nCR0=80050033 CR2=0 CR3=0 CR4=0\n`;

test('a program counter in the upper half is a kernel, also while it waits', () => {
  expect(processorState(registers('RIP=ffffffff81c00f1b'))).toBe('kernel');
  expect(processorState(registers('RIP=ffffffff81c00f1b', 'EFL=00000046 CPL=0 SMM=0 HLT=1'))).toBe(
    'kernel',
  );
  expect(processorState(registers('EIP=c1234567'))).toBe('kernel');
});

test('privilege level 3 is a program of the system', () => {
  expect(processorState(registers('RIP=00007f4560eb3e51', 'EFL=00000246 CPL=3 HLT=0'))).toBe(
    'user-space',
  );
});

test('firmware and boot loaders run where they lie, with and without paging', () => {
  expect(processorState(registers('RIP=000000003f12a0c0'))).toBe('firmware-or-loader');
  const real = registers('EIP=0000fff0').replace('CR0=80050033', 'CR0=00000010');
  expect(processorState(real)).toBe('firmware-or-loader');
});

test('a halt with interrupts switched off is one for good, with them a wait', () => {
  const low = 'RIP=0000000001000200';
  expect(processorState(registers(low, 'EFL=00000046 CPL=0 SMM=0 HLT=1'))).toBe('halted');
  expect(processorState(registers(low, 'EFL=00000246 CPL=0 SMM=0 HLT=1'))).toBe(
    'firmware-or-loader',
  );
});

test('what is no answer of that kind claims nothing', () => {
  expect(processorState('')).toBe('firmware-or-loader');
});
