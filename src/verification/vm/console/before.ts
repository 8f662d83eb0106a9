/** The lines of the stage up to now, the newest last: what came before often has the reason. */
export type Before = readonly string[];

/** The newest line of a pattern, or its first group. */
export const lastWith = (before: Before, pattern: RegExp): string | null => {
  const line = before.findLast((text) => pattern.test(text));
  return line === undefined ? null : (pattern.exec(line)?.[1] ?? line);
};

/** A reason as the end of a sentence. */
export const because = (reason: string | null): string =>
  reason === null ? '' : `: ${reason.replace(/\.$/, '')}`;
