import { textWidth } from './text-width.ts';

/** Text in lines of at most `columns`, the first after `first`, the others after `indent` blanks. */
export const wrapText = (
  text: string,
  columns: number,
  indent = 2,
  first = ' '.repeat(indent),
): readonly string[] => {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ').filter((part) => part !== '')) {
    const joined = isEmpty ? line + word : `${line} ${word}`;
    if (!isEmpty && textWidth(joined) > columns) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else line = joined;
    isEmpty = false;
  }
  return [...lines, line];
};
