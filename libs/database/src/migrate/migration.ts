/**
 * What a migration of the platform is: a TypeORM migration that also says who can run on the schema it leaves. The migrator
 * writes that into the ledger, and a process that cannot run on a schema refuses to start on it (schema-check.ts).
 */
import type { MigrationInterface } from 'typeorm';

export type Compatibility =
  | {
      readonly kind: 'previous_release_runs';
      /** Why it does: what the previous release still finds, or never looked at. */
      readonly reason: string;
      /**
       * Name of an earlier migration: releases that do not know it cannot run on this schema. For the second half of an
       * expand-and-contract: the previous release, which expanded, runs; the one before it does not. Default: none is shut out.
       */
      readonly oldest?: string;
    }
  | {
      /** Releases that do not know this migration cannot run on it: stop all of their processes before it is applied. */
      readonly kind: 'breaking';
      /** What breaks for them. */
      readonly reason: string;
    };

/**
 * A class whose name ends in a timestamp of 13 digits. It runs in a transaction of its own, unless its instances have
 * `transaction = false`; then it must be safe to run again after it was cut off anywhere.
 */
export interface MigrationClass {
  new (): MigrationInterface;
  readonly name: string;
  readonly compatibility: Compatibility;
}

/** The migration that a process must know to run on the schema that this one leaves; null when any may. */
export function neededBy({ name, compatibility }: MigrationClass): string | null {
  return compatibility.kind === 'breaking' ? name : (compatibility.oldest ?? null);
}
