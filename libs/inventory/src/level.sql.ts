/**
 * Fragments of SQL that lock and find levels. They ask the primary key once for each product and place, whatever the
 * planner believes: for an organization that its statistics do not know yet, a join would read all of its levels.
 */

/**
 * SELECT that locks the levels of `keys`, a SELECT of (product, place), in the order of their key. Everything that
 * changes levels takes this statement first; so no two flights can wait for each other, and what follows in the flight
 * sees levels that nobody else can change.
 */
export const lockLevels = (keys: string): string => `
  select locked.product_id from (select distinct product, place from (${keys}) wanted order by product, place) need
  cross join lateral (select level.product_id from stock_levels level where level.organization_id = $1
    and level.product_id = need.product and level.location_id = need.place for update) locked`;

/** LEFT JOIN of the level of `need`.product and .place: level.tid, .available, .held, .allocated, .unavailable, .on_hand. */
export const levelOf = (need: string): string => `
  left join lateral (select l.ctid as tid, l.available, l.held, l.allocated, l.unavailable, l.on_hand from stock_levels l
    where l.organization_id = $1 and l.product_id = ${need}.product and l.location_id = ${need}.place limit 1) level on true`;

/**
 * The id of the active location that a line names by `code`, or of the default one: SQL for a select list. The default is
 * looked up once a statement, a code once for each line that has one.
 */
export const placeOf = (code: string): string => `
  case when ${code} is null then
    (select d.id from locations d where d.organization_id = $1 and d.is_default and d.state = 'active')
  else (select c.id from locations c where c.organization_id = $1 and c.code = ${code} and c.state = 'active') end`;
