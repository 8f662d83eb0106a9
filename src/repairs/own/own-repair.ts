import type { z } from 'zod';
import type { Attributes, Change } from '../../changes/change.ts';
import type { Check } from '../../diagnosis/check.ts';
import type { Finding } from '../../diagnosis/finding.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { whyUntrusted } from '../../host/hook-files.ts';
import type { Host } from '../../host/host.ts';
import { messageOf, RescueError } from '../../host/rescue-error.ts';
import type { Repair } from '../repair.ts';
import {
  type Manifest,
  manifestSchema,
  type OwnChange,
  ownFindingsSchema,
  ownPlanSchema,
} from './manifest.ts';

/** Repairs of the person's own, with the checks that ask for them. */
export type OwnRepairs = {
  readonly checks: readonly Check[];
  readonly repairs: readonly Repair[];
  /** Those that are left out, with the reason. */
  readonly problems: readonly string[];
};

export const noOwnRepairs: OwnRepairs = { checks: [], repairs: [], problems: [] };

const badAnswer = (program: string, cause: unknown): RescueError =>
  new RescueError({
    code: 'OWN_REPAIR',
    message: `${program} does not answer as it should: ${messageOf(cause)}`,
    hint: 'See docs/reference/own-repairs.md for what it is asked and what it answers.',
    cause,
  });

const ask = async <T extends z.ZodType>(
  subject: Subject,
  program: string,
  manifest: Manifest,
  call: {
    readonly word: 'diagnose' | 'plan';
    readonly findings: readonly Finding[];
    readonly answer: T;
  },
): Promise<z.infer<T>> => {
  const { root, facts, mounts } = subject;
  const { stdout } = await subject.host.run({
    program,
    args: [call.word],
    input: `${JSON.stringify({ root, facts, mounts, findings: call.findings })}\n`,
    timeoutSeconds: manifest.timeoutSeconds,
    changes: false,
  });
  try {
    return call.answer.parse(JSON.parse(stdout));
  } catch (cause) {
    throw badAnswer(program, cause);
  }
};

const checkOf = (program: string, manifest: Manifest): Check => ({
  area: 'own',
  finds: [manifest.id],
  run: async (subject) => {
    const call = { word: 'diagnose', findings: [], answer: ownFindingsSchema } as const;
    const { findings } = await ask(subject, program, manifest, call);
    return findings.map(({ evidence, ...finding }) => ({
      ...finding,
      id: manifest.id,
      evidence: evidence.map((place) => ({ kind: 'file' as const, ...place })),
      repair: finding.severity === 'info' ? null : manifest.id,
    }));
  },
});

const given = ({
  mode,
  uid,
  gid,
}: {
  mode?: number | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
}): Attributes => ({
  ...(mode === undefined ? {} : { mode }),
  ...(uid === undefined ? {} : { uid }),
  ...(gid === undefined ? {} : { gid }),
});

const changeOf = (change: OwnChange): Change => {
  switch (change.kind) {
    case 'write-file': {
      const { kind, path, content, base64, attributes } = change;
      const bytes = base64 === undefined ? (content ?? '') : Buffer.from(base64, 'base64');
      return { kind, path, content: bytes, attributes: given(attributes ?? {}) };
    }
    case 'set-attributes': {
      const { kind, path, attributes, clearFlags = [] } = change;
      return { kind, path, attributes: given(attributes), clearFlags };
    }
    default:
      return change;
  }
};

const repairOf = (program: string, manifest: Manifest): Repair => ({
  ...{ id: manifest.id, stage: manifest.stage, title: manifest.title, why: manifest.why },
  ...{ risk: manifest.risk, proof: manifest.proof },
  plan: async (subject, findings) => {
    const plan = await ask(subject, program, manifest, {
      word: 'plan',
      findings,
      answer: ownPlanSchema,
    });
    return 'refused' in plan
      ? { kind: 'refused', reason: plan.refused, hint: plan.hint }
      : { kind: 'changes', changes: plan.changes.map(changeOf), commands: [] };
  },
});

const loadOne = async (host: Host, directory: string): Promise<OwnRepairs> => {
  const program = `${directory}/repair`;
  const left = (why: string): OwnRepairs => ({
    ...noOwnRepairs,
    problems: [`The repair in ${directory} is left out: ${why}`],
  });
  const untrusted = await whyUntrusted(program, host.files);
  if (untrusted !== null) return left(`${untrusted}.`);
  const text = await host.files.readText(`${directory}/manifest.json`);
  if (text === null) return left('it has no manifest.json.');
  try {
    const manifest = manifestSchema.parse(JSON.parse(text));
    return {
      checks: [checkOf(program, manifest)],
      repairs: [repairOf(program, manifest)],
      problems: [],
    };
  } catch (error) {
    return left(`its manifest.json cannot be used: ${messageOf(error)}`);
  }
};

/**
 * Reads the repairs of the person's own: one directory each, with `manifest.json` and an executable
 * `repair`. It runs on the rescue host as root, so one that others could have changed is left out.
 */
export const loadOwnRepairs = async (host: Host, directory: string): Promise<OwnRepairs> => {
  const names = ((await host.files.list(directory)) ?? []).filter((name) => !name.startsWith('.'));
  const loaded = await Promise.all(names.map((name) => loadOne(host, `${directory}/${name}`)));
  return {
    checks: loaded.flatMap(({ checks }) => checks),
    repairs: loaded.flatMap(({ repairs }) => repairs),
    problems: loaded.flatMap(({ problems }) => problems),
  };
};
