import type { Change } from '../changes/change.ts';
import type { Subject } from '../diagnosis/subject.ts';
import { editLines, throughLinks } from './edit-lines.ts';
import { planned, refused } from './plan.ts';
import type { RepairPlan, RepairTools } from './repair.ts';

/** Path to line numbers from 1. */
export type Places = ReadonlyMap<string, readonly number[]>;

export type Judge = {
  /** The system's own program that reads the configuration and exits with 0 when it is right. */
  readonly words: readonly string[];
  /** Places that it names in its output. */
  readonly complaints: (
    output: string,
  ) => readonly { readonly path: string; readonly line: number }[];
  /** All lines that go with one: a block, continuation lines. */
  readonly wholeOf: (path: string, text: string, line: number) => readonly number[];
  readonly comment: (line: string) => string;
  /** For a person, when it does not come to an end. */
  readonly hint: string;
};

const changesFor = async (
  { files }: Subject,
  { wholeOf, comment }: Judge,
  places: Places,
): Promise<readonly Change[]> => {
  const changes = await Promise.all(
    [...places].map(async ([path, lines]): Promise<readonly Change[]> => {
      const text = await files.readForEdit(path);
      if (text === null) return [];
      const all = lines.flatMap((line) => wholeOf(path, text, line));
      const content = editLines(text, new Map(all.map((line) => [line, comment])));
      if (content === text) return [];
      return [{ kind: 'write-file', path: await throughLinks(files, path), content }];
    }),
  );
  return changes.flat();
};

const grown = (
  places: Places,
  more: readonly { readonly path: string; readonly line: number }[],
): Places => {
  const all = new Map(places);
  for (const { path, line } of more) {
    all.set(path, [...new Set([...(all.get(path) ?? []), line])]);
  }
  return all;
};

const sizeOf = (places: Places): number => [...places.values()].flat().length;

/** More wrong lines than this are no slip: a person has to look. */
const maxLines = 20;

const attempt = async (
  subject: Subject,
  bench: RepairTools['bench'],
  judge: Judge,
  places: Places,
): Promise<RepairPlan> => {
  const changes = await changesFor(subject, judge, places);
  const { results } = await bench([{ words: judge.words }], changes);
  const [result] = results;
  if (result === undefined || result.exitCode === 0) return planned(changes, [judge.words]);
  const complaints = judge.complaints(`${result.stdout}\n${result.stderr}`);
  const next = grown(places, complaints);
  if (complaints.length === 0 || sizeOf(next) === sizeOf(places) || sizeOf(next) > maxLines) {
    return refused(
      'the program still refuses its configuration with these lines commented out',
      judge.hint,
    );
  }
  return attempt(subject, bench, judge, next);
};

/**
 * Makes lines comments until the system's own program accepts the configuration: many programs stop
 * at the first error, so that the next one shows only then. Where nothing of the system can be run,
 * the lines that reading has found are all.
 */
export const commentUntilAccepted = async (
  subject: Subject,
  bench: RepairTools['bench'],
  judge: Judge,
  places: Places,
): Promise<RepairPlan> => {
  const runnable = await subject.runInside({ words: ['/bin/sh', '-c', 'exit 0'] });
  if (runnable?.exitCode === 0) return attempt(subject, bench, judge, places);
  return planned(await changesFor(subject, judge, places));
};
