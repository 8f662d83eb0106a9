/** One command of a GRUB script; `if`, `then` and their like are left out, both branches stay. */
export type GrubCommand = {
  /** Without quotes; variables stay as they are written. */
  readonly words: readonly string[];
  /** Line number in the file, from 1. */
  readonly line: number;
  /** What stands between its braces; null when there are none. */
  readonly body: readonly GrubCommand[] | null;
  /** The words of each test around it, the outermost first, whichever branch it stands in. */
  readonly tests: readonly (readonly string[])[];
};

export type GrubScript = {
  readonly commands: readonly GrubCommand[];
  /** What GRUB's parser would stop at, with its line; null when the file is whole. */
  readonly problem: { readonly line: number; readonly reason: string } | null;
};

type Token =
  | {
      readonly kind: 'word';
      readonly text: string;
      readonly quoted: boolean;
      readonly line: number;
    }
  | { readonly kind: 'end' | 'open' | 'close'; readonly line: number };

const keywords = new Set(['if', 'then', 'else', 'elif', 'fi', 'do', 'done', 'while', 'until', '!']);

// A word is made of plain characters, escapes, and quoted parts, in any order. `}` and `{` within
// it belong to a variable: a brace of a block stands alone.
const wordPattern = /(?:\$\{[^}\n]*\}|\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*"|[^\s;{}'"\\|&<>])+/y;

const unquote = (word: string): string =>
  word.replace(
    /'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])/g,
    (_, single?: string, double?: string, escaped?: string) =>
      single ??
      double?.replace(/\\\n/g, '').replace(/\\([$"\\])/g, '$1') ??
      (escaped === '\n' ? '' : (escaped ?? '')),
  );

const lineCount = (text: string): number => text.split('\n').length - 1;

/** Longest text that is taken apart; a grub.cfg has some tens of kilobytes. */
const maxLength = 1024 * 1024;

const tokensOf = (text: string): { tokens: readonly Token[]; unclosed: number | null } => {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const character = text[at] ?? '';
    wordPattern.lastIndex = at;
    if (character === '#') {
      const end = text.indexOf('\n', at);
      at = end === -1 ? text.length : end;
      continue;
    }
    const word = wordPattern.exec(text)?.[0];
    if (word !== undefined) {
      if (!/^(?:\\\n)+$/.test(word)) {
        tokens.push({ kind: 'word', text: unquote(word), quoted: /['"\\]/.test(word), line });
      }
      line += lineCount(word);
      at += word.length;
      continue;
    }
    if (character === "'" || character === '"') return { tokens, unclosed: line };
    if (character === '\n' || character === ';') tokens.push({ kind: 'end', line });
    if (character === '{') tokens.push({ kind: 'open', line });
    if (character === '}') tokens.push({ kind: 'close', line });
    if (character === '\n') line += 1;
    at += 1;
  }
  return { tokens, unclosed: null };
};

type Draft = {
  words: string[];
  line: number;
  body: GrubCommand[] | null;
  tests: readonly (readonly string[])[];
};

/** An `if` that is open: between it and `then` stands its test. */
type OpenIf = { inTest: boolean; readonly words: string[]; readonly tests: Draft['tests'] };

/** More words are no test that anybody wrote. */
const maxTestWords = 64;

/** Nesting beyond this is no menu that anybody wrote. */
const maxDepth = 50;

/** Counts `if` against `fi`: a file that was cut off has more of the first. */
const openIf = (tokens: readonly Token[]): number | null => {
  const open: number[] = [];
  let atStart = true;
  for (const token of tokens) {
    if (token.kind === 'word' && atStart && !token.quoted) {
      if (token.text === 'if') open.push(token.line);
      if (token.text === 'fi') open.pop();
    }
    atStart = token.kind !== 'word' || (atStart && keywords.has(token.text));
  }
  return open.at(-1) ?? null;
};

/**
 * Takes a GRUB script apart (grub.cfg): enough of its grammar to find the entries of the menu and
 * what they start (info grub, "Shell-like scripting"). Nothing is evaluated.
 */
export const parseGrubScript = (text: string): GrubScript => {
  const { tokens, unclosed } = tokensOf(text.slice(0, maxLength).replace(/\r\n/g, '\n'));
  const top: GrubCommand[] = [];
  const blocks: { readonly owner: Draft; readonly line: number }[] = [];
  let current: Draft | null = null;
  let stray: number | null = null;
  const ifs: OpenIf[] = [];
  const commandsHere = (): GrubCommand[] => blocks.at(-1)?.owner.body ?? top;
  const draft = (words: string[], line: number): Draft => ({
    ...{ words, line, body: null },
    tests: ifs.at(-1)?.tests ?? [],
  });
  const finish = (): void => {
    const innermost = ifs.at(-1);
    if (current !== null && current.words.length > 0) {
      commandsHere().push(current);
      if (innermost?.inTest === true) {
        innermost.words.push(...current.words.slice(0, maxTestWords - innermost.words.length));
      }
    }
    current = null;
  };
  const openTest = (): void => {
    const words: string[] = [];
    const outer = ifs.at(-1)?.tests ?? [];
    ifs.push({ inTest: true, words, tests: outer.length < maxDepth ? [...outer, words] : outer });
  };
  const atKeyword = (keyword: string): void => {
    const innermost = ifs.at(-1);
    if (keyword === 'if') openTest();
    if (keyword === 'fi') ifs.pop();
    if (innermost !== undefined && keyword === 'elif') innermost.inTest = true;
    if (innermost !== undefined && keyword === 'then') innermost.inTest = false;
  };
  for (const token of tokens) {
    if (token.kind === 'word') {
      current ??= draft([], token.line);
      const keyword = current.words.length === 0 && !token.quoted && keywords.has(token.text);
      if (keyword) {
        atKeyword(token.text);
        current.tests = ifs.at(-1)?.tests ?? [];
      } else current.words.push(token.text);
    } else if (token.kind === 'end') {
      finish();
    } else if (token.kind === 'open' && blocks.length < maxDepth) {
      const owner: Draft = current ?? draft([''], token.line);
      owner.body = [];
      finish();
      if (commandsHere().at(-1) !== owner) commandsHere().push(owner);
      blocks.push({ owner, line: token.line });
    } else if (token.kind === 'close') {
      finish();
      if (blocks.pop() === undefined) stray ??= token.line;
    }
  }
  finish();
  const open = blocks.at(-1)?.line ?? null;
  const condition = openIf(tokens);
  const problem =
    unclosed !== null
      ? { line: unclosed, reason: 'a quotation mark is never closed' }
      : open !== null
        ? { line: open, reason: 'a brace is never closed' }
        : stray !== null
          ? { line: stray, reason: 'a closing brace has no opening one' }
          : condition !== null
            ? { line: condition, reason: 'an "if" has no "fi"' }
            : null;
  return { commands: top, problem };
};
