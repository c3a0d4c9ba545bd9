/** Migrations of every kind that a release may bring, upon those of the platform: for specs and for the migrator they start. */
import { type Compatibility, createIndexConcurrently, type MigrationClass } from '#libs/database';
import { MIGRATIONS } from '#migrations';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from '../../../migrations/tenant-table';

const compatibility: Compatibility = { kind: 'previous_release_runs', reason: 'It only adds.' };

abstract class Trial implements MigrationInterface {
  static readonly compatibility = compatibility;

  abstract up(runner: QueryRunner): Promise<void>;

  down(): Promise<void> {
    return Promise.reject(new Error('not of interest here'));
  }
}

export class AddColumn1790000001000 extends Trial {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query("alter table stock_levels add column note text not null default 'none'");
  }
}

export class IndexPlainTable1790000002000 extends Trial {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await createIndexConcurrently(runner, {
      name: 'products_state',
      table: 'products',
      definition: '(organization_id, state)',
    });
  }
}

export class IndexPartitions1790000003000 extends Trial {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await createIndexConcurrently(runner, {
      name: 'movements_type',
      table: 'stock_movements',
      definition: '(organization_id, type, id)',
    });
  }
}

export class AddConstraint1790000004000 extends Trial {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table stock_levels add constraint noted check (length(note) < 100) not valid');
  }
}

export class ValidateConstraint1790000005000 extends Trial {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table stock_levels validate constraint noted');
  }
}

export class AddTable1790000006000 extends Trial {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table stock_notes (
        organization_id uuid not null, id uuid not null, product_id uuid not null, note text not null,
        primary key (organization_id, id),
        foreign key (organization_id, product_id) references products (organization_id, id));
      ${wallIn('stock_notes', 'select, insert')}`);
  }
}

export const TRIAL_MIGRATIONS: readonly MigrationClass[] = [
  ...MIGRATIONS,
  AddColumn1790000001000,
  IndexPlainTable1790000002000,
  IndexPartitions1790000003000,
  AddConstraint1790000004000,
  ValidateConstraint1790000005000,
  AddTable1790000006000,
];
