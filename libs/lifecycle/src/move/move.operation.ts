/**
 * Moves a tenant to another shard while it is used: the steps of libs/tenant-move as an operation. What one step leaves in
 * memory (the log it follows, the pause it measures) stays with this worker; another one that takes the operation over starts
 * from the committed state, and takes a fence that it finds back before it goes on.
 */
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { APP_CONFIG, type AppConfig, roleUrl } from '#libs/config';
import { refreshLimits, removeLimits, Shards } from '#libs/database';
import { StockyardError } from '#libs/kernel';
import { MOVE_STEPS, type MoveSide, type MoveState, NEW_MOVE, TenantMove } from '#libs/tenant-move';
import { OrganizationRecords } from '../directory/organization-records';
import type { Facts } from '../operation/operation';
import { OperationHandler, OperationHandlers, type StepContext } from '../operation/operation-handler';
import { organizationNotFound } from '../operation/operation.error';

/** What the table keeps: the state of the move, and where it began, since the directory forgets that. */
interface MoveMemory {
  readonly from: string;
  readonly state: MoveState;
}

type MoveConfig = Pick<AppConfig, 'MOVE_GRACE_MS' | 'MOVE_MAX_PAUSE_MS'> & AppConfig;

@Injectable()
export class MoveOperation extends OperationHandler implements OnModuleInit {
  override readonly kind = 'move';
  override readonly steps = MOVE_STEPS;
  override readonly pointOfNoReturn = 'flip';
  private readonly underWay = new Map<string, TenantMove>();

  constructor(
    private readonly handlers: OperationHandlers,
    private readonly records: OrganizationRecords,
    private readonly shards: Shards,
    @Inject(APP_CONFIG) private readonly config: MoveConfig,
  ) {
    super();
  }

  onModuleInit(): void {
    this.handlers.add(this);
  }

  override async runStep(step: string, memory: Facts, context: StepContext): Promise<Facts> {
    const { from, state } = await this.recall(memory, context);
    const { tenant } = context.operation;
    this.waitForGrace(step, state);
    if (step === 'fence' || step === 'release') await refreshLimits(this.shards, target(context), tenant);
    const move = this.moveOf(from, context);
    const next = await this.ending(context, move, () => move.runStep({ ...state, step } as MoveState));
    if (next.step === 'done') {
      await removeLimits(this.shards, from, tenant);
      await this.close(context);
    }
    return { from, state: next };
  }

  override following(_step: string, memory: Facts): string | undefined {
    const { step } = (memory as unknown as MoveMemory).state;
    return step === 'done' ? undefined : step;
  }

  override async rollBack(memory: Facts, context: StepContext): Promise<void> {
    const { from, state } = await this.recall(memory, context);
    const move = this.moveOf(from, context);
    await this.ending(context, move, () => move.rollBack(state));
    await removeLimits(this.shards, target(context), context.operation.tenant);
    await this.close(context);
  }

  override result(memory: Facts): Facts {
    const { from, state } = memory as unknown as MoveMemory;
    return { from, rows_copied: state.rowsCopied, paused_ms: state.pausedMs, pauses_given_up: state.pauses };
  }

  private async recall(memory: Facts, { operation }: StepContext): Promise<MoveMemory> {
    if ('state' in memory) return memory as unknown as MoveMemory;
    const record = await this.records.find(operation.tenant);
    if (!record) throw organizationNotFound();
    return { from: record.shard, state: NEW_MOVE };
  }

  /** Reads that began before the flip may still look at the old rows. */
  private waitForGrace(step: string, { cleanUpAt }: MoveState): void {
    const waitMs = step === 'clean_up' && cleanUpAt !== null ? cleanUpAt - Date.now() : 0;
    if (waitMs <= 0) return;
    throw new StockyardError({
      code: 'move_grace',
      category: 'unavailable',
      message: 'The organization has moved; the rows that it left behind are deleted after a grace period.',
      retryAfterSeconds: Math.ceil(waitMs / 1_000),
    });
  }

  /** Runs `work`; when this worker must let go, or it fails, the connections of the move end with it. */
  private async ending<T>(context: StepContext, move: TenantMove, work: () => Promise<T>): Promise<T> {
    const letGo = () => void move.close();
    context.signal.addEventListener('abort', letGo, { once: true });
    try {
      context.signal.throwIfAborted();
      return await work();
    } catch (error) {
      await this.close(context);
      context.signal.throwIfAborted();
      throw error;
    } finally {
      context.signal.removeEventListener('abort', letGo);
    }
  }

  private moveOf(from: string, context: StepContext): TenantMove {
    const { id, tenant } = context.operation;
    const known = this.underWay.get(id);
    if (known) return known;
    const made = new TenantMove({
      organizationId: tenant,
      source: this.side(from),
      target: this.side(target(context)),
      directory: this.records.placement(tenant),
      announce: () => this.records.announce(tenant),
      report: (progress) => context.report({ ...progress }),
      maxPauseMs: this.config.MOVE_MAX_PAUSE_MS,
      graceMs: this.config.MOVE_GRACE_MS,
    });
    this.underWay.set(id, made);
    return made;
  }

  private async close({ operation: { id } }: StepContext): Promise<void> {
    const move = this.underWay.get(id);
    this.underWay.delete(id);
    await move?.close().catch(() => undefined);
  }

  private side(shard: string): MoveSide {
    const moverUrl = () => roleUrl(this.config, 'mover', this.shards.get(shard).requirePrimary().url);
    return { shard, moverUrl };
  }
}

const target = ({ operation }: StepContext): string => String(operation.parameters.shard);
