import type { ClosedLayer, Consent, LuksHeader, Opening, Secret } from '../storage/layer.ts';

/** What the person says about layers that do not open by themselves; options or prompts answer. */
export type StackAnswers = {
  /** Whether something incomplete may be opened, or a clone renamed for the session. */
  readonly allow: (opening: Opening, consent: Consent) => Promise<boolean>;
  /**
   * The secret of an encrypted volume, null when there is none or no further one.
   *
   * @param attempt 0 for the first question about this volume, 1 after one wrong answer, …
   */
  readonly secret: (opening: Opening, attempt: number) => Promise<Secret | null>;
  /** The secret has opened the volume. */
  readonly opened: (opening: Opening, secret: Secret) => void;
  /** The passphrases that have opened a volume up to now, each with the devices of that volume. */
  readonly passphrases: () => readonly VolumePassphrase[];
  /** LUKS headers that the person keeps apart from their devices. */
  readonly luksHeaders: readonly LuksHeader[];
};

export type VolumePassphrase = { readonly devices: readonly string[]; readonly text: string };

/** The option by which each consent is given. */
export const consentOption: Readonly<Record<Consent, string>> = {
  degraded: '--degraded',
  partial: '--partial',
  'rename-clone': '--rename-clone',
};

/** The code by which each missing consent is told. */
export const consentCode: Readonly<Record<Consent, ClosedLayer['code']>> = {
  degraded: 'DEGRADED',
  partial: 'PARTIAL',
  'rename-clone': 'CLONE',
};
