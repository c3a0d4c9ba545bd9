/** Orders, returns and idempotency records. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from './tenant-table';

export class Orders1764000003000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Part of the first release: there is none before it.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table orders (
        organization_id uuid not null,
        id uuid not null,
        reference text check (length(reference) <= 100),
        customer_reference text check (length(customer_reference) <= 100),
        state text not null check (state in ('draft', 'confirmed', 'allocated', 'partially_fulfilled', 'fulfilled',
          'partially_returned', 'returned', 'cancelled', 'expired')),
        currency text not null check (currency ~ '^[A-Z]{3}$'),
        total_minor bigint not null,
        occurred_at timestamptz not null,
        version integer not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (organization_id, id));
      create index on orders (organization_id, state, id);
      create index on orders (organization_id, reference) where reference is not null;
      ${wallIn('orders', 'select, insert, update')}

      create table order_lines (
        organization_id uuid not null,
        id uuid not null,
        order_id uuid not null,
        line_number integer not null check (line_number > 0),
        kind text not null check (kind in ('goods', 'charge', 'discount')),
        product_id uuid,
        location_id uuid,
        sku text check (length(sku) <= 64),
        description text check (length(description) <= 500),
        quantity bigint not null check (quantity > 0),
        unit_price_minor bigint not null,
        amount_minor bigint not null,
        allocated bigint not null default 0,
        fulfilled bigint not null default 0,
        returned bigint not null default 0,
        primary key (organization_id, id),
        unique (organization_id, order_id, line_number),
        foreign key (organization_id, order_id) references orders (organization_id, id),
        foreign key (organization_id, product_id) references products (organization_id, id),
        foreign key (organization_id, location_id) references locations (organization_id, id),
        check ((kind = 'goods') = (product_id is not null and location_id is not null)),
        check (kind <> 'discount' or unit_price_minor <= 0),
        check (kind = 'discount' or unit_price_minor >= 0),
        check (amount_minor = quantity * unit_price_minor),
        check (allocated >= 0 and returned >= 0 and returned <= fulfilled and allocated + fulfilled <= quantity));
      create index on order_lines (organization_id, product_id);
      ${wallIn('order_lines', 'select, insert, update')}

      create table returns (
        organization_id uuid not null,
        id uuid not null,
        order_id uuid,
        reference text check (length(reference) <= 100),
        reason text not null check (length(reason) between 1 and 200),
        currency text not null check (currency ~ '^[A-Z]{3}$'),
        total_minor bigint not null,
        occurred_at timestamptz not null,
        created_at timestamptz not null default now(),
        primary key (organization_id, id),
        foreign key (organization_id, order_id) references orders (organization_id, id));
      create index on returns (organization_id, order_id) where order_id is not null;
      ${wallIn('returns', 'select, insert')}

      create table return_lines (
        organization_id uuid not null,
        id uuid not null,
        return_id uuid not null,
        line_number integer not null check (line_number > 0),
        order_line_id uuid,
        kind text not null check (kind in ('goods', 'charge', 'discount')),
        product_id uuid,
        location_id uuid,
        sku text check (length(sku) <= 64),
        description text check (length(description) <= 500),
        quantity bigint not null check (quantity > 0),
        unit_price_minor bigint not null,
        amount_minor bigint not null,
        disposition text not null check (disposition in ('restock', 'unavailable', 'none')),
        primary key (organization_id, id),
        unique (organization_id, return_id, line_number),
        foreign key (organization_id, return_id) references returns (organization_id, id),
        foreign key (organization_id, order_line_id) references order_lines (organization_id, id),
        foreign key (organization_id, product_id) references products (organization_id, id),
        foreign key (organization_id, location_id) references locations (organization_id, id),
        check (amount_minor = quantity * unit_price_minor));
      create index on return_lines (organization_id, order_line_id) where order_line_id is not null;
      ${wallIn('return_lines', 'select, insert')}

      create table idempotency_keys (
        organization_id uuid not null,
        key text not null check (length(key) between 1 and 255),
        fingerprint text not null,
        status integer not null,
        body json not null,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        primary key (organization_id, key));
      create index on idempotency_keys (organization_id, expires_at);
      ${wallIn('idempotency_keys', 'select, insert, update, delete')}

      -- First statement of every transaction under an Idempotency-Key. Whoever holds the lock runs; a second request
      -- meanwhile is refused; a key that is already stored answers SY002 (the same request) or is refused (another one).
      create function claim_idempotency_key(organization uuid, wanted text, wanted_fingerprint text)
      returns void language plpgsql as $$
      declare
        stored idempotency_keys;
      begin
        if not pg_try_advisory_xact_lock(hashtextextended(organization::text || ':' || wanted, 0)) then
          perform refuse('idempotency_key_in_use', 'conflict',
            'A request with this Idempotency-Key is still running; retry in a moment.', 'Idempotency-Key');
        end if;
        select * into stored from idempotency_keys where organization_id = organization and key = wanted;
        if not found then return; end if;
        if stored.expires_at <= now() then
          delete from idempotency_keys where organization_id = organization and key = wanted;
        elsif stored.fingerprint <> wanted_fingerprint then
          perform refuse('idempotency_key_reused', 'unprocessable',
            'This Idempotency-Key was used for another request; use a new key for a new request.', 'Idempotency-Key');
        else
          raise exception using errcode = 'SY002', message = 'already done under this Idempotency-Key';
        end if;
      end $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function claim_idempotency_key(uuid, text, text);
      drop table idempotency_keys, return_lines, returns, order_lines, orders`);
  }
}
