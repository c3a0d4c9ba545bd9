/**
 * A secret of the platform that may be changed while processes run: they seal with the one and open with either. Processes that have
 * been started anew and those that have not understand each other where each knows both.
 */

export interface PlatformSecret {
  readonly secret: string;
  /** The former one after a change, or before it the one that is to come. */
  readonly before?: string | undefined;
}

/** The one that seals first, then those that open too. */
export function secretsOf({ secret, before }: PlatformSecret): readonly string[] {
  return before ? [secret, before] : [secret];
}

/** That of the configuration. */
export function messagingSecret(config: {
  readonly MESSAGING_SECRET: string;
  readonly MESSAGING_SECRET_BEFORE: string;
}): PlatformSecret {
  return { secret: config.MESSAGING_SECRET, before: config.MESSAGING_SECRET_BEFORE };
}
