/** Connections of the current tenant. */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { type Statement, versionMismatch } from '#libs/database';
import { decodeCursor, isUuid, newId, StockyardError } from '#libs/kernel';
import { OutboundClient } from '#libs/outbound';
import type { Connection, ConnectionState, Source } from './connection';
import { ConnectionRepository, type NextConnection } from './connection.repository';
import type { ConnectionChange, NewConnection } from './connection.schema';
import { checkCredentials } from './credentials/credentials';
import { type Sealed, SealedCredentials } from './credentials/sealed-credentials.service';

export interface ConnectionList {
  readonly limit: number;
  readonly state?: ConnectionState;
  readonly cursor?: string;
}

/** undefined: whichever version there is. */
export type ExpectedVersion = number | undefined;

@Injectable()
export class ConnectionService {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly sealed: SealedCredentials,
    private readonly outbound: OutboundClient,
    private readonly audit: AuditService,
  ) {}

  /** Active at once; nothing is asked of the outside system before its first sync. */
  create({ name, url, location = null, bearer_token = null, headers }: NewConnection): Promise<Connection> {
    this.outbound.check(url);
    const id = newId();
    const sealed = this.sealed.seal(id, checkCredentials({ bearer_token, headers: headers ?? {} }));
    const entry = this.entry('created', { id, name, url }, { location });
    return this.connections.insert({ id, name, url, location, sealed }, entry);
  }

  get(id: string): Promise<Connection> {
    return this.connections.get(id);
  }

  /** Up to limit + 1, newest first. */
  list({ cursor, limit, state }: ConnectionList): Promise<Connection[]> {
    const [before] = cursor === undefined ? [null] : decodeCursor(cursor, [isUuid]);
    return this.connections.list(before ?? null, state ?? null, limit);
  }

  /**
   * Another url begins anew unless a cursor comes with it, and needs the secrets again where it is of another origin: or whoever
   * may change connections could read them by pointing one at a server of their own. Another url or secret closes the breaker.
   */
  async update(id: string, version: ExpectedVersion, change: ConnectionChange): Promise<Connection> {
    const current = await this.expect(id, version);
    const { name = current.name, url = current.url, location = current.location } = change;
    if (change.url !== undefined) this.outbound.check(url);
    requireSecretsAgain(current, change);
    const asksOtherwise = url !== current.url || change.bearer_token !== undefined || change.headers !== undefined;
    const next: NextConnection = {
      ...{ id, version: current.version, state: current.state, name, url, location },
      sealed: this.resealed(current, change),
      cursor: change.cursor === undefined && url !== current.url ? null : change.cursor,
      closesBreaker: asksOtherwise,
    };
    const changed = Object.keys(change).map((field) => (field === 'bearer_token' ? 'bearer' : field));
    return this.connections.update(next, this.entry('updated', next, { location, changed }));
  }

  /** Syncs end without having asked, the one that is under way after the page at hand. */
  async pause(id: string, version: ExpectedVersion): Promise<Connection> {
    const current = await this.expect(id, version);
    if (current.state === 'paused') return current;
    return this.turn(current, 'paused');
  }

  /** Syncs ask again, and a breaker that is open closes. */
  async resume(id: string, version: ExpectedVersion): Promise<Connection> {
    const current = await this.expect(id, version);
    if (current.state === 'active' && current.breaker_state === 'closed') return current;
    return this.turn(current, 'active');
  }

  /** What it has brought stays. */
  async delete(id: string, version: ExpectedVersion): Promise<void> {
    const current = await this.expect(id, version);
    await this.connections.delete(current, this.entry('deleted', current));
  }

  private turn(current: Source, state: ConnectionState): Promise<Connection> {
    const next = { ...current, sealed: sealedOf(current), cursor: undefined, state, closesBreaker: state === 'active' };
    return this.connections.update(next, this.entry(state === 'active' ? 'resumed' : 'paused', current));
  }

  /** What is not given stays as it was. */
  private resealed(current: Source, { bearer_token, headers }: ConnectionChange): Sealed {
    if (bearer_token === undefined && headers === undefined) return sealedOf(current);
    const isWhole = bearer_token !== undefined && headers !== undefined;
    const before = isWhole ? undefined : this.sealed.open(current.id, current.credentials);
    return this.sealed.seal(
      current.id,
      checkCredentials({
        bearer_token: bearer_token === undefined ? (before?.bearer_token ?? null) : bearer_token,
        headers: headers === undefined ? (before?.headers ?? {}) : (headers ?? {}),
      }),
    );
  }

  private async expect(id: string, version: ExpectedVersion): Promise<Source> {
    const current = await this.connections.getSource(id);
    if (version !== undefined && version !== current.version) throw versionMismatch(current.version);
    return current;
  }

  /** The query of a url is left out: somebody may have put a key there. */
  private entry(
    verb: string,
    { id, name, url }: Pick<Connection, 'id' | 'name' | 'url'>,
    more: object = {},
  ): Statement {
    const { origin, pathname } = new URL(url);
    const data = { name, address: `${origin}${pathname}`, ...more };
    return this.audit.statement({ action: `connection.${verb}`, targetType: 'connection', targetId: id, data });
  }
}

function sealedOf({ credentials, credentials_key, has_bearer_token, header_names }: Source): Sealed {
  return { credentials, keyId: credentials_key, hasBearerToken: has_bearer_token, headerNames: header_names };
}

function requireSecretsAgain(current: Source, change: ConnectionChange): void {
  if (change.url === undefined || new URL(change.url).origin === new URL(current.url).origin) return;
  const missing =
    (current.has_bearer_token && change.bearer_token === undefined && 'bearer_token') ||
    (current.header_names.length > 0 && change.headers === undefined && 'headers');
  if (!missing) return;
  throw new StockyardError({
    code: 'credentials_required',
    category: 'invalid',
    param: missing,
    message: `The url is of another server: give ${missing} for it too, or null for none.`,
  });
}
