/** Products, locations, stock levels and their movements. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from './tenant-table';

export class Stock1764000002000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Part of the first release: there is none before it.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table products (
        organization_id uuid not null,
        id uuid not null,
        sku text not null check (length(sku) between 1 and 64),
        name text not null check (length(name) between 1 and 300),
        description text check (length(description) <= 5000),
        state text not null default 'active' check (state in ('active', 'archived')),
        price_minor bigint not null default 0 check (price_minor >= 0),
        currency text not null check (currency ~ '^[A-Z]{3}$'),
        version integer not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (organization_id, id),
        unique (organization_id, sku));
      ${wallIn('products', 'select, insert, update')}

      create table locations (
        organization_id uuid not null,
        id uuid not null,
        code text not null check (length(code) between 1 and 64),
        name text not null check (length(name) between 1 and 200),
        is_default boolean not null default false,
        state text not null default 'active' check (state in ('active', 'archived')),
        version integer not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (organization_id, id),
        unique (organization_id, code));
      create unique index locations_one_default on locations (organization_id) where is_default;
      ${wallIn('locations', 'select, insert, update')}

      create table stock_levels (
        organization_id uuid not null,
        product_id uuid not null,
        location_id uuid not null,
        available bigint not null default 0 check (available >= 0),
        held bigint not null default 0 check (held >= 0),
        allocated bigint not null default 0 check (allocated >= 0),
        unavailable bigint not null default 0 check (unavailable >= 0),
        incoming bigint not null default 0 check (incoming >= 0),
        on_hand bigint not null generated always as (available + held + allocated + unavailable) stored
          check (on_hand <= 9007199254740991),
        version bigint not null default 1,
        updated_at timestamptz not null default now(),
        primary key (organization_id, product_id, location_id),
        foreign key (organization_id, product_id) references products (organization_id, id),
        foreign key (organization_id, location_id) references locations (organization_id, id)) with (fillfactor = 80);
      ${wallIn('stock_levels', 'select, insert, update')}

      -- Append only: corrections are further movements. quantity is the change of on_hand, the four changes say of what.
      create table stock_movements (
        organization_id uuid not null,
        id uuid not null,
        product_id uuid not null,
        location_id uuid not null,
        type text not null check (type in ('adjustment', 'count', 'allocation', 'deallocation', 'fulfilment', 'return', 'transfer', 'receipt', 'hold', 'release')),
        reason text not null check (length(reason) <= 200),
        actor_type text not null,
        actor_id uuid,
        reference_type text,
        reference_id uuid,
        occurred_at timestamptz not null,
        recorded_at timestamptz not null default now(),
        available_change bigint not null default 0,
        held_change bigint not null default 0,
        allocated_change bigint not null default 0,
        unavailable_change bigint not null default 0,
        quantity bigint not null generated always as (available_change + held_change + allocated_change + unavailable_change) stored,
        primary key (organization_id, id)) partition by range (id);
      create index on stock_movements (organization_id, product_id, location_id, id);
      create index on stock_movements (organization_id, reference_id) where reference_id is not null;
      ${wallIn('stock_movements', 'select, insert')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table stock_movements, stock_levels, locations, products');
  }
}
