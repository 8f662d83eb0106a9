/** How text is laid out for where it goes to. */
export type View = {
  readonly columns: number;
  readonly colour: boolean;
  /** False where the locale is not UTF-8: only ASCII is written. */
  readonly unicode: boolean;
};

export type Terminal = View & {
  readonly isTerminal: boolean;
  readonly rows: number;
};

type Stream = {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
};

type Environment = Readonly<Record<string, string | undefined>>;

const isUtf8 = (env: Environment): boolean =>
  /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');

/**
 * What a stream can show.
 *
 * @param colour false after `--no-color`. NO_COLOR counts when it is not empty (no-color.org).
 */
export const describeTerminal = (stream: Stream, env: Environment, colour = true): Terminal => {
  const isTerminal = stream.isTTY === true;
  return {
    isTerminal,
    // Serial consoles report 0 columns and 0 rows: they do not know.
    columns: stream.columns || 80,
    rows: stream.rows || 24,
    colour: colour && isTerminal && !env.NO_COLOR && env.TERM !== 'dumb',
    unicode: isUtf8(env),
  };
};
