/** SQL of locations. */
import { Injectable } from '@nestjs/common';
import {
  isUniqueViolation,
  notFound,
  rfc3339,
  TenantDatabase,
  tenantRead,
  tenantStatement,
  updatedRow,
} from '#libs/database';
import { newId, type ShapeType, StockyardError } from '#libs/kernel';
import type { CREATE_LOCATION, Location, UPDATE_LOCATION } from './location.schema';

const COLUMNS = `id, code, name, is_default, state, version,
  ${rfc3339('created_at')} as created_at, ${rfc3339('updated_at')} as updated_at`;

const insert = tenantStatement(
  'location_insert',
  `insert into locations (organization_id, id, code, name) values ($1, $2, $3, $4) returning ${COLUMNS}`,
);
const ensureDefault = tenantStatement(
  'location_ensure_default',
  `insert into locations (organization_id, id, code, name, is_default) values ($1, $2, 'MAIN', 'Main', true)
   on conflict do nothing`,
);
const select = tenantRead('location_select', `select ${COLUMNS} from locations where organization_id = $1 and id = $2`);
const list = tenantRead(
  'location_list',
  `select ${COLUMNS} from locations where organization_id = $1 and id > $2 order by id limit $3`,
);
const update = tenantStatement(
  'location_update',
  `update locations set name = coalesce($4, name), state = coalesce($5, state), version = version + 1, updated_at = now()
   where organization_id = $1 and id = $2 and version = coalesce($3::integer, version)
     and not (is_default and coalesce($5, state) = 'archived') returning ${COLUMNS}`,
);
/**
 * In the flight that archives a location, in this order: nobody makes a level there any more, nobody changes one, and what they
 * hold is seen. Whoever puts stock in looks at the location once more under the lock of the level.
 */
const holdLocation = tenantStatement(
  'location_hold',
  'select from locations where organization_id = $1 and id = $2 for update',
);
const holdLevels = tenantStatement(
  'location_hold_levels',
  'select from stock_levels where organization_id = $1 and location_id = $2 order by product_id for update',
);
/** $3 the version of If-Match or null: what else speaks against it is for the update to say. */
const requireEmpty = tenantStatement(
  'location_require_empty',
  `select refuse('location_holds_stock', 'conflict',
     format('The location holds %s units of %s products; move them or write them off, then archive it.', held.units, held.products),
     'state', jsonb_build_object('on_hand', held.units, 'products', held.products))
   from locations l cross join lateral (select coalesce(sum(level.on_hand), 0) as units, count(*) as products
     from stock_levels level where level.organization_id = $1 and level.location_id = l.id and level.on_hand > 0) held
   where l.organization_id = $1 and l.id = $2 and not l.is_default and l.version = coalesce($3::integer, l.version) and held.units > 0`,
);
const probe = tenantStatement(
  'location_probe',
  'select version, is_default from locations where organization_id = $1 and id = $2',
);

@Injectable()
export class LocationRepository {
  constructor(private readonly database: TenantDatabase) {}

  async insert(location: ShapeType<typeof CREATE_LOCATION>): Promise<Location> {
    try {
      return (await this.database.statement<Location>(insert(newId(), location.code, location.name)))[0]!;
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new StockyardError({
        code: 'location_code_taken',
        category: 'conflict',
        param: 'code',
        message: 'Another location has this code; choose another one.',
        cause: error,
      });
    }
  }

  async ensureDefault(): Promise<void> {
    await this.database.statement(ensureDefault(newId()));
  }

  async get(id: string): Promise<Location> {
    const [row] = await this.database.statement<Location>(select(id));
    if (!row) throw notFound();
    return row;
  }

  list(after: string, limit: number): Promise<Location[]> {
    return this.database.statement<Location>(list(after, limit + 1));
  }

  async update(id: string, version: number | undefined, change: ShapeType<typeof UPDATE_LOCATION>): Promise<Location> {
    const emptied =
      change.state === 'archived' ? [holdLocation(id), holdLevels(id), requireEmpty(id, version ?? null)] : [];
    const results = await this.database.batch([
      ...emptied,
      update(id, version ?? null, change.name ?? null, change.state ?? null),
      probe(id),
    ]);
    const [updated, found] = results.slice(emptied.length);
    const [row] = found!.rows as { is_default: boolean }[];
    if (updated!.rows.length === 0 && row?.is_default && change.state === 'archived') {
      throw new StockyardError({
        code: 'default_location',
        category: 'conflict',
        param: 'state',
        message: 'The default location cannot be archived.',
      });
    }
    return updatedRow<Location>(updated!, found!);
  }
}
