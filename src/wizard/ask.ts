/** A key that answers a question. */
export type Key<T extends string> = {
  /** One small letter. */
  readonly key: string;
  readonly value: T;
  readonly word: string;
};

export type KeyQuestion<T extends string> = {
  readonly message: string;
  readonly keys: readonly Key<T>[];
  /** What Enter means: the answer that can do no harm. */
  readonly safe: T;
};

export type Choice<T> = {
  readonly name: string;
  readonly value: T;
  /** Why it cannot be chosen; null when it can. */
  readonly disabled: string | null;
};

export type ChoiceQuestion<T> = {
  readonly message: string;
  /** At least one of them can be chosen. */
  readonly choices: readonly Choice<T>[];
};

export type LineQuestion = {
  readonly message: string;
  /** Null when the text is good, otherwise what is wrong with it. Not asked about an empty line. */
  readonly check: (text: string) => Promise<string | null>;
};

/** A line that is not shown; empty when the person has none. */
export type SecretQuestion = { readonly message: string };

/**
 * Asks the person. Esc, Ctrl-C, a closed terminal and an aborted signal end each question with
 * RescueError `INTERRUPTED` (130), by which everything is taken down.
 */
export type Ask = {
  /** One key, without Enter. */
  readonly key: <T extends string>(question: KeyQuestion<T>) => Promise<T>;
  readonly choose: <T>(question: ChoiceQuestion<T>) => Promise<T>;
  /** A line of text; empty when the person has thought better of it. */
  readonly line: (question: LineQuestion) => Promise<string>;
  readonly secret: (question: SecretQuestion) => Promise<string>;
};

/** "(Y) yes": the capital letter is what Enter means. */
const shownKey = <T extends string>({ key, value, word }: Key<T>, safe: T): string =>
  `(${value === safe ? key.toUpperCase() : key}) ${word}`;

/** The question with its keys, in lines of at most `columns`. */
export const questionLines = <T extends string>(
  { message, keys, safe }: KeyQuestion<T>,
  columns: number,
): readonly string[] => {
  const lines: string[] = [];
  let line = message;
  for (const key of keys) {
    const shown = shownKey(key, safe);
    if (line.length + 2 + shown.length > columns) {
      lines.push(line);
      line = shown;
    } else line = `${line}  ${shown}`;
  }
  return [...lines, line];
};

/** The answer to a key press; undefined for a key that means nothing here. */
export const answerOf = <T extends string>(
  { keys, safe }: KeyQuestion<T>,
  pressed: string,
): Key<T> | undefined =>
  pressed === '\r' || pressed === '\n'
    ? keys.find(({ value }) => value === safe)
    : keys.find(({ key }) => key === pressed.toLowerCase());
