/**
 * Stops whoever commits a certain step of an operation, inside the commit: the work before it is done, the record of it is not.
 * Then the worker can be killed at exactly this point, with the record made or lost.
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
    await env.query('create table spec_gate (step text)');
    await env.query(`
      create function stop_at_gate() returns trigger language plpgsql security definer as $$
      begin
        if exists (select from spec_gate where step = case when new.state = 'completed' then '${END}' else new.step end)
          and (new.step is distinct from old.step or new.state = 'completed') then
          perform pg_advisory_xact_lock_shared(${KEY});
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

  async close(step: string): Promise<void> {
    await this.holder.query('select pg_advisory_lock($1)', [KEY]);
    await this.env.query('insert into spec_gate values ($1)', [step]);
  }

  /** The server process that stands at the gate, in the place of a worker. */
  waiting(): Promise<number> {
    const probe = async () => {
      const rows = await this.env.query<{ pid: number }>(
        `select pid from pg_locks where locktype = 'advisory' and objid = ${KEY} and not granted
           and database = (select oid from pg_database where datname = current_database())`,
      );
      return rows[0]?.pid;
    };
    return waitFor(probe, { what: 'a worker to reach the gate', timeoutMs: 45_000 });
  }

  /** Opens the gate: the record that waits there is made, or lost with its connection. */
  async open(pid: number, record: 'made' | 'lost'): Promise<void> {
    await this.env.query('delete from spec_gate');
    if (record === 'lost') await this.env.query('select pg_terminate_backend($1)', [pid]);
    await this.holder.query('select pg_advisory_unlock($1)', [KEY]);
    const gone = async () =>
      (await this.env.query('select from pg_locks where pid = $1 and locktype = $2', [pid, 'advisory'])).length === 0;
    await waitFor(gone, { what: 'the gate to be free', timeoutMs: 45_000 });
  }

  async dispose(): Promise<void> {
    await this.holder.end();
  }
}
