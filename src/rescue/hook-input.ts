import { z } from 'zod';
import { plainText } from '../host/plain-text.ts';
import { sessionVariable } from '../host/session-mark.ts';

/** In the order in which they come. Each is the name of a directory with hooks. */
export const hookStages = [
  'before-probe',
  'after-probe',
  'before-activate',
  'after-activate',
  'before-check',
  'after-check',
  'before-mount',
  'after-mount',
  'before-boot',
  'after-boot',
  'before-unmount',
  'after-unmount',
  'before-deactivate',
  'after-deactivate',
] as const;

export const hookStageSchema = z.enum(hookStages);

export type HookStage = z.infer<typeof hookStageSchema>;

/** What may be written to the target: nothing, everything, or everything into memory. */
export const hookModeSchema = z.enum(['read-only', 'read-write', 'ephemeral']);

export type HookMode = z.infer<typeof hookModeSchema>;

/** What a hook is told on standard input. */
export const hookInputSchema = z.object({
  schemaVersion: z.literal(1),
  stage: hookStageSchema,
  session: z.string(),
  /** The command of rescuekit: `rescue`, `mount`, `check --repair`, … */
  command: z.string(),
  /** As the person typed it. */
  target: z.string(),
  /** A hook must respect it: with `read-only` nothing on the target is written. */
  mode: hookModeSchema,
  /** How the phase ended, in the stages after one; null in those before. */
  outcome: z.enum(['done', 'problems', 'failed']).nullable(),
  /** Directory with the system's root; null while it is not mounted. */
  root: z.string().nullable(),
  /** Nodes of the target's devices that are known by now, disks first. */
  devices: z.array(z.string()).readonly(),
  /** What is mounted of the system: where in it, and from which device. */
  mounts: z.array(z.object({ target: z.string(), device: z.string() })).readonly(),
  /** The system that was chosen; null before. The texts are the disk's. */
  system: z.object({ name: z.string(), hostname: z.string().nullable() }).nullable(),
  /** For the hooks of this session: files that one leaves for its counterpart. */
  hookDirectory: z.string(),
  /** Private, and gone with the session: for mount points. */
  runDirectory: z.string(),
});

export type HookInput = z.infer<typeof hookInputSchema>;

/** What is known of a session whatever its stage. */
export const hookFactsSchema = hookInputSchema.omit({
  schemaVersion: true,
  stage: true,
  outcome: true,
});

export type HookFacts = z.infer<typeof hookFactsSchema>;

/** The same as environment variables, for hooks in shell. Empty where nothing is known. */
export const hookEnvironment = (input: HookInput): Readonly<Record<string, string>> => ({
  [sessionVariable]: input.session,
  RESCUEKIT_STAGE: input.stage,
  RESCUEKIT_COMMAND: input.command,
  RESCUEKIT_TARGET: input.target,
  RESCUEKIT_MODE: input.mode,
  RESCUEKIT_OUTCOME: input.outcome ?? '',
  RESCUEKIT_ROOT: input.root ?? '',
  RESCUEKIT_DEVICES: input.devices.join(' '),
  RESCUEKIT_SYSTEM: plainText(input.system?.name ?? ''),
  RESCUEKIT_HOSTNAME: plainText(input.system?.hostname ?? ''),
  RESCUEKIT_HOOK_DIR: input.hookDirectory,
  RESCUEKIT_RUN_DIR: input.runDirectory,
});
