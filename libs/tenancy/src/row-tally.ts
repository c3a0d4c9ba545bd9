/**
 * What each tenant's statements have read and written in this process and how long that took, until somebody collects it. The gateway
 * to tenant data counts here, since it stands below whatever keeps usage.
 */
import { Injectable } from '@nestjs/common';
import type { TenantContext } from './tenant-context';

export interface RowCounts {
  /** Statements that were answered. */
  readonly queries: number;
  /** From sending statements to the end of their answer, in microseconds; what came to nothing included. */
  readonly databaseUs: number;
  /** Rows that were answered. */
  readonly read: number;
  /** Rows that the tags of INSERT, UPDATE, DELETE and MERGE count. */
  readonly written: number;
}

/** Whose statements they are. */
export type Charged = Pick<TenantContext, 'organizationId' | 'actor'>;

/** The part of a statement's result that is counted. */
export interface CountedResult {
  /** The command of its tag, such as `SELECT`. */
  readonly command?: string | null;
  readonly rowCount: number | null;
  readonly rows: readonly unknown[];
}

type Counts = { -readonly [K in keyof RowCounts]: RowCounts[K] };

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

@Injectable()
export class RowTally {
  private counts = new Map<string, Counts>();

  /** Counts what statements answered. What the platform and its operators do of their own accord is free. */
  count(charged: Charged, results: readonly CountedResult[]): void {
    if (isFree(charged)) return;
    const counts = this.of(charged);
    counts.queries += results.length;
    for (const { command, rowCount, rows } of results) {
      counts.read += rows.length;
      if (WRITES.has(command ?? '')) counts.written += rowCount ?? 0;
    }
  }

  /** Counts the time that a database worked, and the network with it. */
  took(charged: Charged, ms: number): void {
    if (!isFree(charged)) this.of(charged).databaseUs += ms * 1_000;
  }

  /** What was counted since the last call, by organization. */
  drain(): ReadonlyMap<string, RowCounts> {
    const drained = this.counts;
    this.counts = new Map();
    return drained;
  }

  private of({ organizationId }: Charged): Counts {
    let counts = this.counts.get(organizationId);
    if (!counts) this.counts.set(organizationId, (counts = { read: 0, written: 0, queries: 0, databaseUs: 0 }));
    return counts;
  }
}

function isFree({ actor }: Charged): boolean {
  return actor.type === 'system' || actor.type === 'operator';
}
