/**
 * Stops whoever commits a certain step of a tenant's operation, inside the commit: the work before it is done, the record of it
 * is not. Then the worker can be killed at exactly this point, with the record made or lost. Several tenants may stand at gates
 * of their own, for one kill.
 */
import { type TestEnvironment, waitFor } from '#libs/testing';
import { Client } from 'pg';

/** For the end of an operation, which is no step. */
export const END = 'end';
const KEY = 4_711;

export class StepGate {
  private constructor(
    private readonly env: TestEnvironment,
    private readonly holder: Client,
  ) {}

  static async build(env: TestEnvironment): Promise<StepGate> {
    await env.query('create table spec_gate (id int generated always as identity, tenant uuid, step text)');
    await env.query(`
      create function stop_at_gate() returns trigger language plpgsql security definer as $$
      begin
        if new.step is distinct from old.step or new.state = 'completed' then
          perform pg_advisory_xact_lock_shared(${KEY}, id) from spec_gate
          where tenant = new.tenant and step = case when new.state = 'completed' then '${END}' else new.step end;
        end if;
        return new;
      end $$`);
    await env.query(
      `create trigger gate before update on tenant_operations for each row execute function stop_at_gate()`,
    );
    const holder = new Client({ connectionString: env.adminUrl });
    await holder.connect();
    return new StepGate(env, holder);
  }

  /** Close it before anything can reach it. */
  async close(tenant: string, step: string): Promise<ClosedGate> {
    const { rows } = await this.holder.query<{ id: number }>(
      'insert into spec_gate (tenant, step) values ($1, $2) returning id, pg_advisory_lock($3, id)',
      [tenant, step, KEY],
    );
    return new ClosedGate(this.env, this.holder, rows[0]!.id);
  }

  async dispose(): Promise<void> {
    await this.holder.end();
  }
}

export class ClosedGate {
  private pid: number | undefined;

  constructor(
    private readonly env: TestEnvironment,
    private readonly holder: Client,
    private readonly id: number,
  ) {}

  /** Resolves once somebody stands at the gate. */
  async reached(): Promise<void> {
    const probe = async () => {
      const rows = await this.env.query<{ pid: number }>(
        `select pid from pg_locks where locktype = 'advisory' and classid = ${KEY} and objid = $1 and not granted
           and database = (select oid from pg_database where datname = current_database())`,
        [this.id],
      );
      return rows[0]?.pid;
    };
    this.pid = await waitFor(probe, { what: 'a worker to reach the gate', timeoutMs: 45_000 });
  }

  /** Opens the gate: the record that waits there is made, or lost with its connection. */
  async open(record: 'made' | 'lost'): Promise<void> {
    await this.env.query('delete from spec_gate where id = $1', [this.id]);
    if (record === 'lost') await this.env.query('select pg_terminate_backend($1)', [this.pid]);
    await this.holder.query('select pg_advisory_unlock($1, $2)', [KEY, this.id]);
    const gone = async () =>
      (await this.env.query('select from pg_locks where pid = $1 and locktype = $2', [this.pid, 'advisory'])).length ===
      0;
    await waitFor(gone, { what: 'the gate to be free', timeoutMs: 45_000 });
  }
}
