/** Alerts of the current tenant: looking at them, and saying that somebody has seen one. */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { notFound, TenantDatabase, versionMismatch } from '#libs/database';
import { decodeCursor, isUuid, type ShapeType, StockyardError } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import type { ALERT_QUERY, StockAlert } from './stock-alert.schema';
import { acknowledgeAlert, ALERT_MOVED, listAlerts, selectAlert, selectNewestAlert } from './stock-alert.statements';

@Injectable()
export class StockAlertService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly audit: AuditService,
    private readonly tenant: TenantContextHolder,
  ) {}

  /** Up to limit + 1 alerts, newest first. */
  list(query: ShapeType<typeof ALERT_QUERY>): Promise<StockAlert[]> {
    const { cursor, limit, state = null, product_id = null, location_id = null } = query;
    const before = cursor === undefined ? null : decodeCursor(cursor, [isUuid])[0]!;
    return this.database.statement<StockAlert>(listAlerts(before, state, product_id, location_id, limit + 1));
  }

  /** Throws `not_found`. */
  async get(id: string): Promise<StockAlert> {
    const [alert] = await this.database.statement<StockAlert>(selectAlert(id));
    if (!alert) throw notFound();
    return alert;
  }

  /**
   * The first who acknowledges an alert is kept, with the time and an entry in the audit log; who comes later is answered the
   * same. Resolved ones may be acknowledged too. `version` of If-Match, where there is one; throws `version_mismatch` (412).
   */
  async acknowledge(id: string, version: number | undefined): Promise<StockAlert> {
    for (;;) {
      const alert = await this.newest(id);
      if (version !== undefined && version !== alert.version) throw versionMismatch(alert.version);
      if (alert.acknowledged_at !== null || (await this.acknowledged(alert))) return this.newest(id);
    }
  }

  private async newest(id: string): Promise<StockAlert> {
    const [alert] = await this.database.statement<StockAlert>(selectNewestAlert(id));
    if (!alert) throw notFound();
    return alert;
  }

  /** False where it has changed since it was read. */
  private async acknowledged({ id, version, product_id, location_id }: StockAlert): Promise<boolean> {
    const { actor } = this.tenant.current();
    const entry = { action: 'stock_alert.acknowledged', targetType: 'stock_alert', targetId: id };
    try {
      await this.database.batch([
        acknowledgeAlert(id, version, actor.type, actor.id),
        this.audit.statement({ ...entry, data: { product_id, location_id } }),
      ]);
      return true;
    } catch (error) {
      if (error instanceof StockyardError && error.code === ALERT_MOVED) return false;
      throw error;
    }
  }
}
