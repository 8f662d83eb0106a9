import type { Change } from '../../changes/change.ts';
import { sshdTestWords } from '../../diagnosis/access/sshd-config.ts';
import { parseSshdComplaints } from '../../diagnosis/access/sshd-problems.ts';
import type { Finding } from '../../diagnosis/finding.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { readSshService } from '../../system-image/ssh-service.ts';
import { parseSshdConfig } from '../../system-image/sshd-config.ts';
import { asComment, editLines, placesOf } from '../edit-lines.ts';
import { planned, refused } from '../plan.ts';
import type { Repair, RepairTools } from '../repair.ts';

type Places = ReadonlyMap<string, readonly number[]>;

/** With a `Match` line goes its block: without it the block would be valid for everybody. */
const withBlock = (path: string, text: string, line: number): readonly number[] => {
  const directives = parseSshdConfig(path, text);
  const index = directives.findIndex((each) => each.line === line);
  if (directives[index]?.keyword !== 'match') return [line];
  const rest = directives.slice(index + 1);
  const next = rest.findIndex(({ keyword }) => keyword === 'match');
  return [line, ...(next === -1 ? rest : rest.slice(0, next)).map((each) => each.line)];
};

const changesFor = async (subject: Subject, places: Places): Promise<readonly Change[]> => {
  const changes = await Promise.all(
    [...places].map(async ([path, lines]): Promise<readonly Change[]> => {
      const text = await subject.files.read(path);
      if (text === null) return [];
      const all = lines.flatMap((line) => withBlock(path, text, line));
      const content = editLines(text, new Map(all.map((line) => [line, asComment])));
      return [{ kind: 'write-file', path, content }];
    }),
  );
  return changes.flat();
};

const grown = (places: Places, more: Places): Places => {
  const all = new Map(places);
  for (const [path, lines] of more) {
    all.set(path, [...new Set([...(all.get(path) ?? []), ...lines])]);
  }
  return all;
};

const sizeOf = (places: Places): number => [...places.values()].flat().length;

/** sshd stops at the first bad value, so the rest is found by trying again; so many at most. */
const maxLines = 20;

/** Tries the edited files with the system's own sshd until it has no more to say. */
const tried = async (
  subject: Subject,
  { bench }: Pick<RepairTools, 'bench'>,
  places: Places,
): Promise<Places | null> => {
  const { program } = await readSshService(subject.files);
  if (program === null) return null;
  const words = sshdTestWords(program);
  const { results } = await bench([{ words }], await changesFor(subject, places));
  const stderr = results[0]?.stderr ?? '';
  if (results[0]?.exitCode === 0) return places;
  const complaints = parseSshdComplaints(stderr);
  if (complaints.length === 0) return places;
  const evidence = complaints.map(({ path, line }) => ({ kind: 'file', path, line }));
  const next = grown(places, placesOf([{ evidence }]));
  if (sizeOf(next) === sizeOf(places) || sizeOf(next) > maxLines) return null;
  return tried(subject, { bench }, next);
};

const plan = async (
  subject: Subject,
  findings: readonly Finding[],
  tools: RepairTools,
): Promise<ReturnType<typeof planned>> => {
  const places = placesOf(findings);
  const runnable = (await subject.runInside({ words: ['/bin/sh', '-c', 'exit 0'] })) !== null;
  const good = runnable ? await tried(subject, tools, places) : places;
  if (good === null) {
    return refused(
      'sshd still refuses the configuration with these lines commented out',
      'Look at the configuration with `sshd -t` in a rescue shell.',
    );
  }
  return planned(await changesFor(subject, good));
};

/** Makes each line that sshd refuses a comment. */
export const commentSshdLine: Repair = {
  id: 'access.comment-sshd-line',
  stage: 'access',
  title: 'Comment the lines that sshd refuses out of its configuration',
  why: 'One line that it does not understand keeps sshd from starting.',
  risk: 'What the line was meant to set falls back to the default.',
  proof: 'container',
  plan,
};
