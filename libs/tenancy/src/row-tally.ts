/**
 * How many rows each tenant's statements have read and written in this process, until somebody collects it. The gateway
 * to tenant data counts here, since it stands below whatever keeps usage.
 */
import { Injectable } from '@nestjs/common';
import type { TenantContext } from './tenant-context';

export interface RowCounts {
  /** Rows that were answered. */
  readonly read: number;
  /** Rows that the tags of INSERT, UPDATE, DELETE and MERGE count. */
  readonly written: number;
}

/** The part of a statement's result that is counted. */
export interface CountedResult {
  /** The command of its tag, such as `SELECT`. */
  readonly command?: string | null;
  readonly rowCount: number | null;
  readonly rows: readonly unknown[];
}

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

@Injectable()
export class RowTally {
  private counts = new Map<string, RowCounts>();

  /** Counts what statements answered. What the platform and its operators do of their own accord is free. */
  count({ organizationId, actor }: TenantContext, results: readonly CountedResult[]): void {
    if (actor.type === 'system' || actor.type === 'operator') return;
    let { read, written } = this.counts.get(organizationId) ?? { read: 0, written: 0 };
    for (const { command, rowCount, rows } of results) {
      read += rows.length;
      if (WRITES.has(command ?? '')) written += rowCount ?? 0;
    }
    if (read + written > 0) this.counts.set(organizationId, { read, written });
  }

  /** What was counted since the last call, by organization. */
  drain(): ReadonlyMap<string, RowCounts> {
    const drained = this.counts;
    this.counts = new Map();
    return drained;
  }
}
