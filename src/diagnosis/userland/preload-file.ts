/** An object that /etc/ld.so.preload asks for, and where in the file it stands. */
export type PreloadEntry = { readonly name: string; readonly line: number };

/** ld.so(8): names apart by blanks or colons; `#` starts a comment. */
export const parsePreload = (text: string): readonly PreloadEntry[] =>
  text.split('\n').flatMap((line, index) =>
    (line.split('#')[0] ?? '')
      .split(/[\s:]+/)
      .filter((name) => name !== '')
      .map((name) => ({ name, line: index + 1 })),
  );

/** The file without these objects: every other byte of it stays, comments and order included. */
export const withoutPreloads = (text: string, names: readonly string[]): string =>
  text
    .split('\n')
    .flatMap((line) => {
      const [code = '', ...comment] = line.split('#');
      const words = code.split(/[\s:]+/).filter((name) => name !== '');
      const kept = words.filter((name) => !names.includes(name));
      if (kept.length === words.length) return [line];
      const rest = comment.length === 0 ? '' : `#${comment.join('#')}`;
      const left = [kept.join(' '), rest].filter((part) => part !== '').join(' ');
      return left === '' ? [] : [left];
    })
    .join('\n');
