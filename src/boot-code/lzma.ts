/** Probabilities are 11 bits wide and start in the middle. */
const half = 1 << 10;
const topValue = 2 ** 24;

/** State of the range coder over the packed bytes. */
type Coder = { readonly input: Buffer; at: number; range: number; code: number };

const startCoder = (input: Buffer): Coder => {
  const coder: Coder = { input, at: 5, range: 0xffffffff, code: 0 };
  // The first byte is always zero.
  coder.code = input.length >= 5 ? input.readUInt32BE(1) : 0;
  return coder;
};

const normalise = (coder: Coder): void => {
  if (coder.range >= topValue) return;
  coder.range = (coder.range * 256) >>> 0;
  // Behind the end zeros are read: what they decode to is beyond the length that is wanted.
  coder.code = ((coder.code << 8) | (coder.input[coder.at] ?? 0)) >>> 0;
  coder.at += 1;
};

const bit = (coder: Coder, model: Uint16Array, index: number): number => {
  normalise(coder);
  const probability = model[index] ?? half;
  const bound = (coder.range >>> 11) * probability;
  if (coder.code < bound) {
    coder.range = bound;
    model[index] = probability + ((2048 - probability) >> 5);
    return 0;
  }
  coder.range -= bound;
  coder.code -= bound;
  model[index] = probability - (probability >> 5);
  return 1;
};

const directBits = (coder: Coder, count: number): number => {
  let value = 0;
  for (let index = 0; index < count; index += 1) {
    normalise(coder);
    coder.range >>>= 1;
    const one = coder.code >= coder.range ? 1 : 0;
    if (one === 1) coder.code -= coder.range;
    value = value * 2 + one;
  }
  return value;
};

const model = (size: number): Uint16Array => new Uint16Array(size).fill(half);

const tree = (coder: Coder, probabilities: Uint16Array, offset: number, bits: number): number => {
  let node = 1;
  for (let index = 0; index < bits; index += 1) {
    node = node * 2 + bit(coder, probabilities, offset + node);
  }
  return node - 2 ** bits;
};

const reverseTree = (
  coder: Coder,
  probabilities: Uint16Array,
  offset: number,
  bits: number,
): number => {
  let node = 1;
  let value = 0;
  for (let index = 0; index < bits; index += 1) {
    const one = bit(coder, probabilities, offset + node);
    node = node * 2 + one;
    value += one * 2 ** index;
  }
  return value;
};

type LengthModel = {
  readonly choice: Uint16Array;
  readonly low: Uint16Array;
  readonly mid: Uint16Array;
  readonly high: Uint16Array;
};

const lengthModel = (): LengthModel => ({
  choice: model(2),
  low: model(16 * 8),
  mid: model(16 * 8),
  high: model(256),
});

const lengthOf = (coder: Coder, { choice, low, mid, high }: LengthModel, place: number): number => {
  if (bit(coder, choice, 0) === 0) return 2 + tree(coder, low, place * 8, 3);
  if (bit(coder, choice, 1) === 0) return 10 + tree(coder, mid, place * 8, 3);
  return 18 + tree(coder, high, 0, 8);
};

export type LzmaParameters = {
  /** Literal context bits, literal position bits, position bits. */
  readonly lc: number;
  readonly lp: number;
  readonly pb: number;
  /** Length of the unpacked data in bytes. */
  readonly length: number;
};

const distanceOf = (
  coder: Coder,
  slots: Uint16Array,
  special: Uint16Array,
  align: Uint16Array,
  length: number,
): number => {
  const slot = tree(coder, slots, Math.min(length - 2, 3) * 64, 6);
  if (slot < 4) return slot;
  const direct = (slot >> 1) - 1;
  const base = (2 | (slot & 1)) * 2 ** direct;
  if (slot < 14) return base + reverseTree(coder, special, base - slot, direct);
  return base + directBits(coder, direct - 4) * 16 + reverseTree(coder, align, 0, 4);
};

/**
 * Unpacks raw LZMA1 data of known length (LZMA specification of the LZMA SDK). GRUB packs its core
 * image for BIOS machines so, without the header that xz(1) would need.
 *
 * @returns null when the data are damaged.
 */
export const unpackLzma = (input: Buffer, parameters: LzmaParameters): Buffer | null => {
  const { lc, lp, pb, length } = parameters;
  const output = Buffer.alloc(length);
  const coder = startCoder(input);
  const literals = model(0x300 << (lc + lp));
  const isMatch = model(12 * 16);
  const isRep = model(12);
  const isRepG0 = model(12);
  const isRepG1 = model(12);
  const isRepG2 = model(12);
  const isRep0Long = model(12 * 16);
  const [slots, special, align] = [model(4 * 64), model(128), model(16)];
  const [matchLength, repLength] = [lengthModel(), lengthModel()];
  let reps: readonly [number, number, number, number] = [0, 0, 0, 0];
  let state = 0;
  let at = 0;
  const literal = (): void => {
    const before = output[at - 1] ?? 0;
    const context = ((at & ((1 << lp) - 1)) << lc) + (before >> (8 - lc));
    const offset = context * 0x300;
    let symbol = 1;
    if (state >= 7) {
      let match = output[at - reps[0] - 1] ?? 0;
      while (symbol < 0x100) {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const one = bit(coder, literals, offset + ((1 + matchBit) << 8) + symbol);
        symbol = symbol * 2 + one;
        if (matchBit !== one) break;
      }
    }
    while (symbol < 0x100) symbol = symbol * 2 + bit(coder, literals, offset + symbol);
    output[at] = symbol & 0xff;
    at += 1;
    state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  };
  while (at < length) {
    const place = at & ((1 << pb) - 1);
    if (bit(coder, isMatch, state * 16 + place) === 0) {
      literal();
      continue;
    }
    let copied: number;
    if (bit(coder, isRep, state) === 0) {
      copied = lengthOf(coder, matchLength, place);
      state = state < 7 ? 7 : 10;
      const distance = distanceOf(coder, slots, special, align, copied);
      reps = [distance, reps[0], reps[1], reps[2]];
      // The mark for the end: here it comes too early.
      if (distance >= 0xffffffff) return null;
    } else {
      let short = false;
      if (bit(coder, isRepG0, state) === 0) {
        short = bit(coder, isRep0Long, state * 16 + place) === 0;
      } else if (bit(coder, isRepG1, state) === 0) {
        reps = [reps[1], reps[0], reps[2], reps[3]];
      } else if (bit(coder, isRepG2, state) === 0) {
        reps = [reps[2], reps[0], reps[1], reps[3]];
      } else {
        reps = [reps[3], reps[0], reps[1], reps[2]];
      }
      copied = short ? 1 : lengthOf(coder, repLength, place);
      state = short ? (state < 7 ? 9 : 11) : state < 7 ? 8 : 11;
    }
    if (reps[0] >= at) return null;
    for (let count = 0; count < copied && at < length; count += 1) {
      output[at] = output[at - reps[0] - 1] ?? 0;
      at += 1;
    }
  }
  return output;
};
