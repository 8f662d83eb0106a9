import { z } from 'zod';
import { allChecks } from '../diagnosis/registry.ts';
import { requirePrograms } from '../host/capabilities.ts';
import type { Host } from '../host/host.ts';
import { usageError } from '../host/rescue-error.ts';
import { readStandardInput } from '../host/standard-input.ts';
import type { OwnRepairs } from '../repairs/own/own-repair.ts';
import { allRepairs } from '../repairs/registry.ts';
import type { RepairWishes } from '../repairs/repair.ts';
import { damagedId, fileSystemRepairId } from '../rescue/repair-file-systems.ts';
import { proofWishSchema } from './proof-wish.ts';

const words = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

export const repairCommandSchema = z.object({
  only: words.optional(),
  skipCheck: z.boolean().default(false),
  authorizedKey: z.string().min(1, 'wants a file').optional(),
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]*\$?$/, 'wants the name of an account')
    .optional(),
  proof: proofWishSchema.default('auto'),
  rootPasswordFile: z.string().min(1, 'wants a file, or - for standard input').optional(),
});

type Given = z.infer<typeof repairCommandSchema>;

/** @throws RescueError usage (2) for an id that is neither a repair's nor a finding's. */
export const requireKnownIds = (only: readonly string[] | undefined, own: OwnRepairs): void => {
  const known = new Set([
    ...[fileSystemRepairId, damagedId],
    ...[...allRepairs, ...own.repairs].map(({ id }) => id),
    ...allChecks.flatMap(({ finds }) => finds),
  ]);
  for (const id of only ?? []) {
    if (known.has(id)) continue;
    throw usageError(
      `--only ${id}: there is no repair and no finding of that name.`,
      'rescuekit diagnose TARGET names them.',
    );
  }
};

const keyTypes =
  /^(?:ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/=]+/m;

const readKey = async (host: Host, path: string): Promise<string> => {
  const text = await host.files.readText(path).catch(() => null);
  if (text === null) throw usageError(`--authorized-key ${path}: the file cannot be read.`);
  const line = text.split('\n').find((each) => keyTypes.test(each));
  if (line === undefined || text.includes('PRIVATE KEY')) {
    throw usageError(
      `--authorized-key ${path}: there is no public key in it.`,
      'Give the .pub file, for instance ~/.ssh/id_ed25519.pub.',
    );
  }
  return line.trim();
};

/** SHA-512 crypt(5), which every Linux since 2008 reads. The password goes through standard input. */
const hashPassword = async (host: Host, password: string): Promise<string> => {
  await requirePrograms(host, ['openssl']);
  const { stdout } = await host.run({
    program: 'openssl',
    args: ['passwd', '-6', '-stdin'],
    input: `${password}\n`,
    changes: false,
  });
  return stdout.trim();
};

const readPassword = async (host: Host, path: string): Promise<string> => {
  const text =
    path === '-' ? await readStandardInput() : await host.files.readText(path).catch(() => null);
  const password = text?.split('\n')[0] ?? '';
  if (password === '')
    throw usageError(`--root-password-file ${path}: there is no password in it.`);
  return password;
};

/**
 * What the person has said, read before anything is touched.
 *
 * @throws RescueError usage (2) for files that are not there or hold something else.
 */
export const repairWishes = async (host: Host, given: Given): Promise<RepairWishes> => ({
  authorizedKey:
    given.authorizedKey === undefined ? null : await readKey(host, given.authorizedKey),
  user: given.user ?? null,
  rootPasswordHash:
    given.rootPasswordFile === undefined
      ? null
      : await hashPassword(host, await readPassword(host, given.rootPasswordFile)),
});
