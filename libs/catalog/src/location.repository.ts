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
    const [updated, found] = await this.database.batch([
      update(id, version ?? null, change.name ?? null, change.state ?? null),
      probe(id),
    ]);
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
