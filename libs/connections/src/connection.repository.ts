/** Reads and writes of connections. A change and its entry in the audit log are one transaction. */
import { Injectable } from '@nestjs/common';
import { isUniqueViolation, notFound, type Statement, TenantDatabase } from '#libs/database';
import { StockyardError } from '#libs/kernel';
import type { Connection, ConnectionState, Source } from './connection';
import * as sql from './connection.statements';
import type { Sealed } from './credentials/sealed-credentials.service';

export type ConnectionRow = Pick<Connection, 'id' | 'name' | 'url' | 'location'> & { readonly sealed: Sealed };

/** What a connection becomes, from the version that was read. */
export type NextConnection = Pick<Connection, 'id' | 'name' | 'url' | 'location' | 'state' | 'version'> & {
  readonly sealed: Sealed;
  /** undefined: as it stands. */
  readonly cursor?: string | null | undefined;
  readonly closesBreaker: boolean;
};

@Injectable()
export class ConnectionRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** Throws `limit_exceeded` (403) beyond `max_sync_connections`, `unknown_location` (422), `connection_name_taken` (409). */
  async insert({ id, name, url, location, sealed }: ConnectionRow, audit: Statement): Promise<Connection> {
    const insert = sql.insertConnection(id, name, url, location, ...columnsOf(sealed));
    const room = [sql.lockConnections(), sql.requireConnectionRoom(), sql.requireLocation(location)];
    const results = await this.named([...room, insert, audit]);
    return results[room.length]!.rows[0] as Connection;
  }

  async get(id: string): Promise<Connection> {
    const [connection] = await this.database.statement<Connection>(sql.selectConnection(id));
    if (!connection) throw notFound();
    return connection;
  }

  /** From the primary, with its sealed secrets. */
  async findSource(id: string): Promise<Source | undefined> {
    return (await this.database.statement<Source>(sql.selectSource(id)))[0];
  }

  /** The same; throws `not_found`. */
  async getSource(id: string): Promise<Source> {
    const source = await this.findSource(id);
    if (!source) throw notFound();
    return source;
  }

  /** Up to limit + 1, newest first. */
  list(before: string | null, state: ConnectionState | null, limit: number): Promise<Connection[]> {
    return this.database.statement<Connection>(sql.listConnections(before, state, limit + 1));
  }

  /** Throws `version_mismatch` (412) when what was read is out of date. */
  async update(next: NextConnection, audit: Statement): Promise<Connection> {
    const { id, version, name, url, location, sealed, cursor, closesBreaker, state } = next;
    const update = sql.updateConnection(
      ...[id, version, name, url, location, ...columnsOf(sealed)],
      ...[cursor !== undefined, cursor ?? null, closesBreaker, state],
    );
    const statements = [sql.requireLocation(location), update, sql.selectSource(id), audit];
    return (await this.named(statements))[2]!.rows[0] as Connection;
  }

  async delete({ id, version }: Connection, audit: Statement): Promise<void> {
    await this.database.batch([sql.deleteConnection(id, version), audit]);
  }

  /** Up to `limit` whose secrets were sealed under another key, after an id. */
  sealedBefore(keyId: string, after: string, limit: number): Promise<{ id: string; credentials: string }[]> {
    return this.database.statement(sql.selectSealedBefore(keyId, after, limit));
  }

  async reseal(id: string, from: string, { credentials, keyId }: Pick<Sealed, 'credentials' | 'keyId'>): Promise<void> {
    await this.database.statement(sql.resealConnection(id, from, credentials, keyId));
  }

  private async named(statements: readonly Statement[]) {
    try {
      return await this.database.batch(statements);
    } catch (error) {
      if (!isUniqueViolation(error, sql.NAME_KEY)) throw error;
      throw new StockyardError({
        code: 'connection_name_taken',
        category: 'conflict',
        param: 'name',
        message: 'Another connection has this name; choose another one.',
        cause: error,
      });
    }
  }
}

function columnsOf({ hasBearerToken, headerNames, credentials, keyId }: Sealed): unknown[] {
  return [hasBearerToken, headerNames, credentials, keyId];
}
