// A release candidate sorts before its release: 6.1-rc3, which Debian writes 6.1~rc3, before 6.1.
const preRelease = /^(?:rc|alpha|beta|pre)$/;

const tokensOf = (version: string): readonly string[] => version.match(/\d+|[A-Za-z]+/g) ?? [];

const compareNumbers = (one: string, other: string): number => {
  const [left, right] = [one.replace(/^0+/, ''), other.replace(/^0+/, '')];
  return left.length - right.length || (left < right ? -1 : Number(left > right));
};

const compareTokens = (one: string | undefined, other: string | undefined): number => {
  if (one === other) return 0;
  if (one === undefined) return preRelease.test(other ?? '') ? 1 : -1;
  if (other === undefined) return -compareTokens(other, one);
  const numbers = [/^\d/.test(one), /^\d/.test(other)];
  if (numbers[0] && numbers[1]) return compareNumbers(one, other);
  if (preRelease.test(one) !== preRelease.test(other)) return preRelease.test(one) ? -1 : 1;
  if (numbers[0] !== numbers[1]) return numbers[0] ? 1 : -1;
  return one < other ? -1 : 1;
};

/**
 * Compares kernel versions as a person would order them: numbers by value, and a release after its
 * release candidates. Negative when `one` is older, 0 when they are equal but for punctuation.
 */
export const compareVersions = (one: string, other: string): number => {
  const [left, right] = [tokensOf(one), tokensOf(other)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const order = compareTokens(left[index], right[index]);
    if (order !== 0) return Math.sign(order);
  }
  return 0;
};
