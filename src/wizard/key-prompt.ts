import {
  createPrompt,
  isEnterKey,
  type KeypressEvent,
  useKeypress,
  useState,
} from '@inquirer/core';
import type { Style } from '../output/style.ts';
import { answerOf, type Key, type KeyQuestion, questionLines } from './ask.ts';

type Config = {
  readonly question: KeyQuestion<string>;
  readonly columns: number;
  readonly style: Style;
};

/** The letter of a key press; with Ctrl or Alt held it is another key. */
const letterOf = (event: KeypressEvent): string => {
  if (isEnterKey(event)) return '\r';
  return event.ctrl || event.name === undefined ? '' : event.name;
};

const indented = (lines: readonly string[]): string =>
  lines.map((line, index) => (index === 0 ? line : `    ${line}`)).join('\n');

/** A question that one key answers; none of inquirer's own prompts does without Enter. */
export const keyPrompt = createPrompt<string, Config>(({ question, columns, style }, done) => {
  const [answer, setAnswer] = useState<Key<string> | null>(null);
  useKeypress((event, readline) => {
    // Letters that mean nothing here would otherwise gather in readline's line.
    readline.clearLine(0);
    const key = answerOf(question, letterOf(event));
    if (key === undefined || answer !== null) return;
    setAnswer(key);
    done(key.value);
  });
  const mark = `  ${style.accent('?')} `;
  if (answer !== null) return `${mark}${question.message} ${style.accent(answer.word)}`;
  const lines = questionLines(question, columns - 5);
  return mark + indented(lines).replace(question.message, () => style.bold(question.message));
});
