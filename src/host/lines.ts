/** Splits a stream of text into lines; fsck tools end their progress lines with `\r`. */
export const lineSplitter = (onLine: (line: string) => void) => {
  let rest = '';
  return {
    push(chunk: string): void {
      const parts = (rest + chunk).split(/\r\n|[\r\n]/);
      rest = parts.pop() ?? '';
      for (const part of parts) onLine(part);
    },
    end(): void {
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
};
