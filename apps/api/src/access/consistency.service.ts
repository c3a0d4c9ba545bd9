/**
 * What a caller has seen, over HTTP: `X-Consistency-Token` as it came in and goes out, and the one kept for callers who
 * ignore it. A token that cannot be kept (Redis is away) costs such a caller a read from the primary later, no error.
 *
 * An answer waits until its token is kept, up to PATIENCE_MS after the keeper's first failure. In an outage other processes
 * cannot ask for tokens either and read from the primary; but where this process alone lost its connection for a
 * moment, another one would find the token before, and show who ignores tokens the past.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { messagingSecret } from '#libs/kernel';
import {
  type Actor,
  ConsistencyScope,
  type ConsistencyToken,
  ConsistencyTokens,
  TenantContextHolder,
  TokenKeeper,
  tokenRank,
} from '#libs/tenancy';

const PATIENCE_MS = 1_000;
const PAUSE_MS = 20;

@Injectable()
export class ConsistencyService {
  private readonly tokens: ConsistencyTokens;
  private failingSince: number | undefined;

  constructor(
    private readonly tenant: TenantContextHolder,
    @Optional() @Inject(TokenKeeper) private readonly keeper: TokenKeeper | null,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'MESSAGING_SECRET' | 'MESSAGING_SECRET_BEFORE'>,
  ) {
    this.tokens = new ConsistencyTokens(messagingSecret(config));
  }

  /** The scope of a request. Throws `invalid_consistency_token` (400) for a forged or foreign token. */
  open(organizationId: string, actor: Actor, header: string | string[] | undefined): ConsistencyScope {
    const sent = header === undefined ? undefined : this.tokens.open(organizationId, String(header));
    const { keeper } = this;
    if (!keeper) return new ConsistencyScope(sent);
    return new ConsistencyScope(sent, async () => {
      const kept = await keeper.load(organizationId, callerOf(actor));
      return kept === undefined ? undefined : this.opened(organizationId, kept);
    });
  }

  /** One that was kept under a secret that nobody has any more says nothing: the caller reads from primaries. */
  private opened(organizationId: string, kept: string): ConsistencyToken | undefined {
    try {
      return this.tokens.open(organizationId, kept);
    } catch {
      return undefined;
    }
  }

  /** The token that goes out with the answer; undefined where nothing was read or written. Kept when it resolves, if at all. */
  async close(): Promise<string | undefined> {
    const context = this.tenant.peek();
    const token = context && this.tenant.consistency().newest;
    if (!context || !token) return undefined;
    const { organizationId, actor } = context;
    const sealed = this.tokens.seal(organizationId, token);
    const { keeper } = this;
    if (keeper) await this.kept(() => keeper.keep(organizationId, callerOf(actor), { sealed, rank: tokenRank(token) }));
    return sealed;
  }

  private async kept(keep: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await keep();
        this.failingSince = undefined;
        return;
      } catch {
        this.failingSince ??= performance.now();
        if (performance.now() - this.failingSince > PATIENCE_MS) return;
        await delay(PAUSE_MS);
      }
    }
  }
}

function callerOf({ type, id }: Actor): string {
  return `${type}:${id ?? ''}`;
}
