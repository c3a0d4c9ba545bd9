/** Organizations for specs, written straight into the directory with the default location that every one has. */
import { newId } from '#libs/kernel';
import type { Tier } from '#libs/tenancy';
import type { TestEnvironment } from './test-environment';

export interface TestOrganization {
  readonly id: string;
  readonly slug: string;
  readonly locationId: string;
}

export async function createOrganization(
  environment: TestEnvironment,
  options: { readonly slug?: string; readonly tier?: Tier } = {},
): Promise<TestOrganization> {
  const id = newId();
  const slug = options.slug ?? `org-${id.slice(-12)}`;
  const locationId = newId();
  await environment.query('insert into organizations (id, slug, name, tier) values ($1, $2, $2, $3)', [
    id,
    slug,
    options.tier ?? 'enterprise',
  ]);
  await environment.query("insert into tenant_places (tenant, epoch, state, tier) values ($1, 1, 'open', $2)", [
    id,
    options.tier ?? 'enterprise',
  ]);
  await environment.query(
    "insert into locations (organization_id, id, code, name, is_default) values ($1, $2, 'MAIN', 'Main', true)",
    [id, locationId],
  );
  return { id, slug, locationId };
}
