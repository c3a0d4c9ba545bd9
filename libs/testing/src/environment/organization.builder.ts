/** Organizations for specs, written straight into directory and shard, with the default location that every one has. */
import { HOME_SHARD } from '#libs/config';
import { newId } from '#libs/kernel';
import type { Tier } from '#libs/tenancy';
import type { TestEnvironment } from './test-environment';

export interface TestOrganization {
  readonly id: string;
  readonly slug: string;
  readonly locationId: string;
}

/** `shard` pins it there; without, it is on the home shard, where every bucket is at first. */
export async function createOrganization(
  environment: TestEnvironment,
  options: { readonly slug?: string; readonly tier?: Tier; readonly shard?: string } = {},
): Promise<TestOrganization> {
  const id = newId();
  const slug = options.slug ?? `org-${id.slice(-12)}`;
  const locationId = newId();
  const tier = options.tier ?? 'enterprise';
  const shard = environment.shards.find(({ name }) => name === (options.shard ?? HOME_SHARD));
  if (shard === undefined) throw new Error(`The environment has no shard "${options.shard ?? ''}".`);
  await environment.query('insert into organizations (id, slug, name, tier, shard) values ($1, $2, $2, $3, $4)', [
    id,
    slug,
    tier,
    options.shard ?? null,
  ]);
  await shard.query("insert into tenant_places (tenant, epoch, state, tier) values ($1, 1, 'open', $2)", [id, tier]);
  await shard.query(
    "insert into locations (organization_id, id, code, name, is_default) values ($1, $2, 'MAIN', 'Main', true)",
    [id, locationId],
  );
  return { id, slug, locationId };
}
