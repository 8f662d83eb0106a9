import { z } from 'zod';
import { usageError } from '../host/rescue-error.ts';
import type { Wish } from '../rescue/boot-plan.ts';
import type { RescueOptions } from '../rescue/rescue-job.ts';
import type { ContainerWishes } from '../rescue/run-system.ts';
import type { CommandContext } from './context.ts';
import { proofWishSchema } from './proof-wish.ts';
import { rehearseSchema, requireRehearse } from './rehearse-options.ts';
import {
  type ContainerArguments,
  containerSchema,
  parseBind,
  parseNetwork,
  parsePort,
  parseSetenv,
  requireConsistent,
} from './rescue-options.ts';
import { stackAnswers } from './stack-answers.ts';
import { lastResortsOf, repairSchema, targetSchema } from './target-arguments.ts';

export const rescueSchema = targetSchema
  .extend(repairSchema.shape)
  .extend(containerSchema.omit({ unit: true }).shape)
  .extend(rehearseSchema.shape)
  .extend({ auto: z.boolean().default(false), proof: proofWishSchema.optional() })
  .extend({ target: containerSchema.shape.unit, skipCheck: z.boolean().default(false) });

export type RescueArguments = z.infer<typeof rescueSchema>;

/** A word list as a shell would split it when nothing in it is special to a shell. */
const programWords = (text: string): readonly string[] =>
  /^[\w@%+=:,./ -]+$/.test(text) ? text.trim().split(/ +/) : ['/bin/sh', '-c', text];

const readScript = async (context: CommandContext, path: string): Promise<string> => {
  const text = await context.host.files.readText(path).catch(() => null);
  if (text === null) throw usageError(`--script ${path}: the file cannot be read.`);
  return text;
};

const wishOf = async (given: RescueArguments, context: CommandContext): Promise<Wish> => {
  if (given.exec !== undefined) return { kind: 'command', text: given.exec };
  if (given.script !== undefined) {
    return { kind: 'command', text: await readScript(context, given.script) };
  }
  if (given.asPid2 !== undefined) {
    // Without a terminal the program's output comes back like that of a command.
    return context.interactive
      ? { kind: 'program', words: programWords(given.asPid2) }
      : { kind: 'pid2-command', text: given.asPid2 };
  }
  return given.ownInit ? { kind: 'own-init' } : { kind: 'shell' };
};

export const isCommand = (wish: Wish): boolean =>
  wish.kind === 'command' || wish.kind === 'pid2-command';

/** A shell needs a terminal; under --json its output would mix with the document. */
const requireTerminal = (wish: Wish, context: CommandContext): void => {
  const hasTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (isCommand(wish) || (hasTerminal && !context.options.json)) return;
  throw usageError(
    'There is no terminal for a rescue shell here.',
    'Give --exec COMMAND or --script FILE to run in the booted system.',
  );
};

const bindSources = async (wishes: ContainerWishes, context: CommandContext): Promise<void> => {
  for (const { source } of wishes.binds) {
    if ((await context.host.files.statusFollowed(source)) === null) {
      throw usageError(`--bind ${source}: there is no such file or directory on this machine.`);
    }
  }
};

const containerWishes = (
  given: RescueArguments & ContainerArguments,
  wish: Wish,
  context: CommandContext,
): ContainerWishes => {
  const network = parseNetwork(given.network);
  requireConsistent({ ...given, unit: given.target }, network);
  return {
    machine: given.machine ?? null,
    network,
    ports: (given.port ?? []).map(parsePort),
    resolvConf: given.resolvConf ?? 'off',
    privateUsers: given.privateUsers,
    binds: [
      ...(given.bind ?? []).map((text) => parseBind(text, false)),
      ...(given.bindRo ?? []).map((text) => parseBind(text, true)),
    ],
    environment: (given.setenv ?? []).map(parseSetenv),
    memoryBytes: given.memory ?? null,
    tasks: given.tasks ?? null,
    keepJournal: given.journal,
    bootTimeoutSeconds: given.bootTimeout ?? 120,
    interactive: !isCommand(wish),
    verboseBoot: context.options.verbose,
  };
};

/**
 * What `rescue` is to do, from its options.
 *
 * @throws RescueError usage (2) for what contradicts itself, is not there, or needs a terminal.
 */
export const rescueOptions = async (
  given: RescueArguments,
  context: CommandContext,
): Promise<RescueOptions> => {
  const lastResorts = lastResortsOf(given);
  if (given.ephemeral && given.privateUsers) {
    throw usageError(
      '--ephemeral and --private-users exclude each other.',
      'The kernel does not map the owners of an overlay.',
    );
  }
  if (given.ephemeral && given.repair) {
    throw usageError('--ephemeral keeps nothing, so there is nothing to --repair.');
  }
  requireRehearse(given);
  if (given.rehearse && (given.ephemeral || given.privateUsers)) {
    throw usageError('--rehearse goes neither with --ephemeral nor with --private-users.');
  }
  const wish = await wishOf(given, context);
  const container = containerWishes(given, wish, context);
  requireTerminal(wish, context);
  await bindSources(container, context);
  return {
    target: given.TARGET,
    withDisks: given.with,
    system: given.system ?? null,
    answers: await stackAnswers(given, context),
    mode: given.ephemeral ? 'ephemeral' : 'write',
    skipCheck: given.skipCheck,
    repair: given.repair,
    lastResorts,
    setuid: true,
    apart: given.privateUsers,
    wish,
    unit: given.target ?? 'rescue.target',
    container,
  };
};
