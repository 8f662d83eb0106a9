/** File flags that keep even root from changing an entry, and their letters (chattr(1)). */
export const flagLetters = { immutable: 'i', 'append-only': 'a' } as const;
