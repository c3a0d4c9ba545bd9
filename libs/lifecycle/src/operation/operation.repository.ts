/** The SQL of `tenant_operations`, as stockyard_control on the home shard. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { CONTROL_POOL, isUniqueViolation, translateDatabaseError } from '#libs/database';
import { newId } from '#libs/kernel';
import type { Pool } from 'pg';
import type { Facts, NewOperation, Operation, OperationFailure, OperationKind, OperationState } from './operation';

const COLUMNS = `id, tenant, kind, state, step, parameters, memory, progress, result, error, failures, undoable,
  rolling_back as "rollingBack", request_id as "requestId", created_at as "createdAt", updated_at as "updatedAt",
  finished_at as "finishedAt"`;
const LEASE = (position: number): string => `now() + $${position} * interval '1 millisecond'`;

const INSERT = `
  insert into tenant_operations (id, tenant, kind, parameters, request_id, lease_until, region)
  values ($1, $2, $3, $4, $5, ${LEASE(6)}, $7) returning ${COLUMNS}`;
const PREPARED = `
  update tenant_operations set parameters = $2, lease_until = null, updated_at = now()
  where id = $1 and state = 'queued' returning ${COLUMNS}`;
const ABANDON = `
  update tenant_operations set lease_until = null, rolling_back = true, error = $2, updated_at = now()
  where id = $1 and state = 'queued'`;
const FIND = `select ${COLUMNS} from tenant_operations where id = $1`;
const FIND_OPEN = `select ${COLUMNS} from tenant_operations where tenant = $1 and state in ('queued', 'running')`;
const PAGE = `select ${COLUMNS} from tenant_operations
  where ($1::uuid is null or id < $1::uuid) and ($2::uuid is null or tenant = $2::uuid) order by id desc limit $3`;
/** Regions may share a directory; the workers of each do what was asked of its api. */
const CLAIM = `
  update tenant_operations set runner = $1, lease_until = ${LEASE(3)}, state = 'running', updated_at = now(),
    started_at = coalesce(started_at, now())
  where id = (select id from tenant_operations where state in ('queued', 'running') and kind = any ($2)
    and (region is null or region = $4) and (lease_until is null or lease_until < now()) order by created_at limit 1 for update skip locked)
  returning ${COLUMNS}`;
const RENEW = `update tenant_operations set lease_until = ${LEASE(3)}, progress = $4, updated_at = now()
  where id = $1 and runner = $2 returning rolling_back as "rollingBack"`;
const ADVANCE = `
  update tenant_operations set step = $3, undoable = $4, memory = $5, failures = 0, error = null, updated_at = now()
  where id = $1 and runner = $2 and not rolling_back`;
const BEGIN_ROLL_BACK = `
  update tenant_operations set rolling_back = true, error = coalesce($3, error), updated_at = now()
  where id = $1 and runner = $2 and undoable`;
const RELEASE = `
  update tenant_operations set runner = null, lease_until = ${LEASE(3)}, error = coalesce($4, error),
    failures = $5, progress = $6, updated_at = now()
  where id = $1 and runner = $2`;
const FINISH = `
  update tenant_operations set runner = null, lease_until = null, state = $3, result = $4, updated_at = now(),
    memory = '{}', finished_at = now(), error = case when $3 = 'failed' then error end
  where id = $1 and runner = $2`;
const ASK_ROLL_BACK = `
  update tenant_operations set rolling_back = true, error = null, updated_at = now()
  where id = $1 and state in ('queued', 'running') and undoable and not rolling_back returning ${COLUMNS}`;

/** Which operation, and in whose hands it has to be for the change to happen. */
export interface Holding {
  readonly id: string;
  readonly runner: string;
}

@Injectable()
export class OperationRepository {
  constructor(
    @Inject(CONTROL_POOL) private readonly pool: Pool,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REGION'>,
  ) {}

  /** The new operation, or undefined where another one is open for the tenant. No worker takes it before `delayMs` are over. */
  async insert({ tenant, kind, parameters, requestId }: NewOperation, delayMs = 0): Promise<Operation | undefined> {
    try {
      return await this.one(INSERT, [newId(), tenant, kind, parameters, requestId, delayMs, this.config.REGION]);
    } catch (error) {
      if (isUniqueViolation(error, 'tenant_operations_one_open')) return undefined;
      throw error;
    }
  }

  /** What a delayed operation needs is there: workers may take it. undefined where it has been taken or has ended. */
  prepared(id: string, parameters: Facts): Promise<Operation | undefined> {
    return this.one(PREPARED, [id, parameters]);
  }

  /** What a delayed operation needs will not come: a worker clears up after it, and it has failed. */
  abandon(id: string, error: OperationFailure): Promise<boolean> {
    return this.changes(ABANDON, [id, error]);
  }

  find(id: string): Promise<Operation | undefined> {
    return this.one(FIND, [id]);
  }

  findOpen(tenant: string): Promise<Operation | undefined> {
    return this.one(FIND_OPEN, [tenant]);
  }

  /** Up to `count` operations older than `before`, newest first. */
  async page(before: string | null, tenant: string | null, count: number): Promise<Operation[]> {
    return (await this.query<Operation>(PAGE, [before, tenant, count])).rows;
  }

  /** Asks the worker to undo an operation; undefined where there is none that can be undone. */
  askRollBack(id: string): Promise<Operation | undefined> {
    return this.one(ASK_ROLL_BACK, [id]);
  }

  /** Takes the oldest open operation of this region that nobody holds. */
  claim(runner: string, kinds: readonly OperationKind[], leaseMs: number): Promise<Operation | undefined> {
    return this.one(CLAIM, [runner, kinds, leaseMs, this.config.REGION]);
  }

  /** A sign of life. Resolves with what is asked of the holder, or undefined where it holds the operation no more. */
  async renew(
    { id, runner }: Holding,
    leaseMs: number,
    progress: Facts,
  ): Promise<{ rollingBack: boolean } | undefined> {
    return (await this.query<{ rollingBack: boolean }>(RENEW, [id, runner, leaseMs, progress])).rows[0];
  }

  /** Commits the step that comes next. False where the operation is not the holder's any more, or is to be undone. */
  advance({ id, runner }: Holding, next: { step: string; undoable: boolean; memory: Facts }): Promise<boolean> {
    return this.changes(ADVANCE, [id, runner, next.step, next.undoable, next.memory]);
  }

  beginRollBack({ id, runner }: Holding, error: OperationFailure | null): Promise<boolean> {
    return this.changes(BEGIN_ROLL_BACK, [id, runner, error]);
  }

  /** Lets go: anyone may take it after `delayMs`. */
  release(
    { id, runner }: Holding,
    state: { delayMs: number; error: OperationFailure | null; failures: number; progress: Facts },
  ): Promise<boolean> {
    return this.changes(RELEASE, [id, runner, state.delayMs, state.error, state.failures, state.progress]);
  }

  finish({ id, runner }: Holding, state: OperationState, result: Facts | null): Promise<boolean> {
    return this.changes(FINISH, [id, runner, state, result]);
  }

  private async one(sql: string, values: readonly unknown[]): Promise<Operation | undefined> {
    return (await this.query<Operation>(sql, values)).rows[0];
  }

  private async changes(sql: string, values: readonly unknown[]): Promise<boolean> {
    return (await this.query(sql, values)).rowCount === 1;
  }

  private async query<Row extends object>(sql: string, values: readonly unknown[]) {
    try {
      return await this.pool.query<Row>(sql, [...values]);
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }
}
