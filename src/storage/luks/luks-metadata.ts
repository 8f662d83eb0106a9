import { z } from 'zod';
import type { Host } from '../../host/host.ts';

/** What stands in a LUKS header, as far as opening it is concerned. */
export type LuksMetadata = {
  readonly version: 1 | 2;
  /** Null where it does not matter: LUKS1 headers are not read further. */
  readonly slots: readonly LuksSlot[] | null;
  /** What must be known to use it, for instance `online-reencrypt-v2`. */
  readonly requirements: readonly string[];
};

export type LuksSlot = {
  /** Memory that its key derivation takes, in KiB; 0 for PBKDF2. */
  readonly memoryKib: number;
  readonly kdf: string;
  /** Kind of the token that the key belongs to: `clevis`, `systemd-tpm2`; null for a passphrase. */
  readonly token: string | null;
};

const keyslotSchema = z.object({
  type: z.string(),
  kdf: z.object({ type: z.string(), memory: z.number().optional() }).optional(),
});

/** On-disk format of LUKS2, section 3: keyslots, tokens and digests are objects by number. */
const luks2Schema = z.object({
  keyslots: z.record(z.string(), keyslotSchema),
  tokens: z.record(z.string(), z.object({ type: z.string(), keyslots: z.array(z.string()) })),
  config: z.object({
    requirements: z.object({ mandatory: z.array(z.string()).optional() }).optional(),
  }),
});

/** A recovery key of systemd-cryptenroll is typed in like a passphrase. */
const typedTokens = new Set(['systemd-recovery']);

/** Parses `cryptsetup luksDump --dump-json-metadata`. */
export const parseLuks2 = (json: string): LuksMetadata => {
  const { keyslots, tokens, config } = luks2Schema.parse(JSON.parse(json));
  const held = Object.values(tokens).filter(({ type }) => !typedTokens.has(type));
  const slots = Object.entries(keyslots)
    // `reencrypt` slots hold no key of a person.
    .filter(([, { type }]) => type === 'luks2')
    .map(([number, { kdf }]) => ({
      kdf: kdf?.type ?? 'unknown',
      memoryKib: kdf?.memory ?? 0,
      token: held.find((token) => token.keyslots.includes(number))?.type ?? null,
    }));
  return { version: 2, slots, requirements: config.requirements?.mandatory ?? [] };
};

/**
 * Reads a LUKS header, on its device or detached. Null when there is none that cryptsetup accepts.
 *
 * Without locks: with them cryptsetup writes when it only looks, because it mends one of the two
 * copies of a LUKS2 header from the other (LUKS2_hdr_read in its sources).
 */
export const readLuksMetadata = async (
  host: Host,
  header: string,
): Promise<LuksMetadata | null> => {
  const look = { program: 'cryptsetup', accept: [0, 1], changes: false } as const;
  const dump = await host.run({
    ...look,
    args: ['luksDump', '--dump-json-metadata', '--disable-locks', header],
  });
  if (dump.exitCode === 0) return parseLuks2(dump.stdout);
  // "Dump operation is not supported" for LUKS1, and the same exit code for what is no LUKS.
  const first = await host.run({ ...look, args: ['isLuks', '--type', 'luks1', header] });
  return first.exitCode === 0 ? { version: 1, slots: null, requirements: [] } : null;
};
