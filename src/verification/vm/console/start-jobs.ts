/** What systemd is still starting, as far as its lines on the console tell. */
export type StartJob = {
  /** In its own words, where it has any with the time: `/dev/vdb (6s / 1min 30s)`. */
  readonly what: string;
  readonly seconds: number;
  /** Seconds after which systemd gives it up; null when it has no limit, or none was told. */
  readonly limitSeconds: number | null;
};

/** Written by units that take a moment to start, and by mounts and swaps. */
const begins = /^(?:Starting|Mounting|Activating swap) (.+?)\.\.\.$/;
/**
 * The job is over, in whatever way: `[ OK ] Finished X.`, `[FAILED] Failed to start X.` A prompt may
 * stand before it on its line.
 */
const ends = /\[ ?[A-Z]+ ?\] (.+?)\.?$/;

const unitSeconds: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600 };

/** `1min 30s` in seconds; systemd writes time spans so (systemd.time(7)). */
const secondsOf = (span: string): number =>
  [...span.matchAll(/(\d+)(min|h|s)\b/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitSeconds[unit ?? ''] ?? 0),
    0,
  );

/** Reads what follows "A start job is running for". */
export const parseStartJob = (text: string): StartJob => {
  const [, time = '', limit = ''] = /\(([^()]*?) \/ ([^()]*)\)\s*$/.exec(text) ?? [];
  const limitSeconds = limit === '' || limit.startsWith('no limit') ? null : secondsOf(limit);
  return { what: text, seconds: secondsOf(time), limitSeconds };
};

/** Letters of a name that no cut takes away, from its beginning. */
const keptBegin = 6;

/** systemd cuts long names in their middle, and the more the longer the word before them is. */
const isSame = (name: string, line: string): boolean => {
  // `Condition check resulted in X being skipped.`
  if (line.includes(name)) return true;
  const tailOf = (text: string): string => text.slice(text.indexOf('…') + 1);
  const tails = [tailOf(name), tailOf(line)] as const;
  const length = Math.min(tails[0].length, tails[1].length);
  const [ownEnd, lineEnd] = tails.map((tail) => tail.slice(-length));
  return ownEnd === lineEnd && line.includes(name.slice(0, keptBegin));
};

/**
 * While a password is asked for, systemd tells nothing of what it starts and ends (manager.c,
 * `manager_status_printf`, `manager_check_ask_password`): the boot goes on unseen. A login prompt
 * behind the question says that all is there that every boot waits for (sysinit.target), so it is
 * about a volume with `nofail`.
 */
const asks = /\bPlease enter (?:passphrase|password)\b/;

export type StartJobs = {
  readonly take: (line: string, seconds: number) => void;
  /** The system starts anew. */
  readonly clear: () => void;
  /** The one that has been starting for longest; null when all are over, or nothing tells. */
  readonly running: (seconds: number) => StartJob | null;
};

/**
 * Follows which units were begun and are not over. systemd draws "A start job is running" only while
 * no getty has the console (manager.c, `manager_status_printf`), so behind a login prompt this is
 * all that shows what the boot still waits for.
 */
export const startJobs = (): StartJobs => {
  const begun = new Map<string, number>();
  return {
    take: (line, seconds) => {
      if (asks.test(line)) {
        begun.clear();
        return;
      }
      const name = begins.exec(line)?.[1];
      if (name !== undefined) {
        begun.set(name, seconds);
        return;
      }
      const over = ends.exec(line)?.[1];
      if (over === undefined) return;
      for (const one of begun.keys()) if (isSame(one, over)) begun.delete(one);
    },
    clear: () => begun.clear(),
    running: (seconds) => {
      const [first] = begun;
      return first === undefined
        ? null
        : { what: first[0], seconds: seconds - first[1], limitSeconds: null };
    },
  };
};
