import { expect, it } from 'vitest';
import { parseFill, storeSizes } from './layer-device.ts';

const mebibyte = 2 ** 20;

it('takes a layer for full shortly before it is, and when the kernel has given it up', () => {
  expect(parseFill('0 237568 snapshot 1968/240544 16')).toBe('room');
  expect(parseFill('0 237568 snapshot 235000/240544 16\n')).toBe('full');
  expect(parseFill('0 237568 snapshot Invalid')).toBe('full');
  expect(parseFill('0 237568 snapshot Overflow')).toBe('full');
});

it('gives a layer all that it may need where there is room for it and for what is kept', () => {
  const [size = 0] = storeSizes([100 * mebibyte], 1000 * mebibyte, '/state');
  expect(size).toBeGreaterThan(100 * mebibyte);
  expect(size).toBeLessThan(103 * mebibyte);
});

it('shares what room there is, a small disk leaving the rest to the large one', () => {
  const sizes = storeSizes([900 * mebibyte, 20 * mebibyte], 200 * mebibyte, '/state');
  expect(sizes[1]).toBeLessThan(23 * mebibyte);
  expect(sizes[0]).toBeGreaterThan(76 * mebibyte);
  expect((sizes[0] ?? 0) + (sizes[1] ?? 0)).toBeLessThanOrEqual(100 * mebibyte);
});

it('refuses where a layer would be full with the first repair', () => {
  expect(() => storeSizes([900 * mebibyte], 20 * mebibyte, '/state')).toThrow('20 MiB are free');
});
