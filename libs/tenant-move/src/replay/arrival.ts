/**
 * The row on the target that says whose run moves the tenant in and how far it is. Every transaction of a move on the target
 * ends by touching it: a process that was thought dead and goes on finds another run there, and its transaction is void.
 */
import type { Client } from 'pg';
import { formatLsn, parseLsn } from '../decode/lsn';
import { overtaken } from '../move.error';

export class Arrival {
  constructor(
    private readonly client: Client,
    private readonly tenant: string,
    private readonly run: string,
  ) {}

  /** From here on this run moves the tenant in, and no other one. `anew` forgets the position. */
  async takeOver(options: { readonly anew: boolean }): Promise<void> {
    await this.client.query(
      `insert into tenant_moves (tenant, run) values ($1, $2) on conflict (tenant) do update
       set run = excluded.run, position = case when $3 then null else tenant_moves.position end, updated_at = now()`,
      [this.tenant, this.run, options.anew],
    );
  }

  /** Undefined before the copy is whole. */
  async position(): Promise<bigint | undefined> {
    const { rows } = await this.client.query<{ position: string | null }>(
      'select position::text from tenant_moves where tenant = $1 and run = $2',
      [this.tenant, this.run],
    );
    const position = rows[0]?.position;
    return position ? parseLsn(position) : undefined;
  }

  /** Last in a transaction: proves that the run is still this one, and keeps the position that the transaction reaches. */
  async reach(position: bigint | undefined): Promise<void> {
    const { rowCount } = await this.client.query(
      'update tenant_moves set position = coalesce($3::pg_lsn, position), updated_at = now() where tenant = $1 and run = $2',
      [this.tenant, this.run, position === undefined ? null : formatLsn(position)],
    );
    if (rowCount !== 1) throw overtaken('Another process moves this organization');
  }

  async leave(): Promise<void> {
    await this.client.query('delete from tenant_moves where tenant = $1', [this.tenant]);
  }
}
