// Makes the demo organizations with their keys through the public API, and finds them again at later starts.
import { DEMO_ORGANIZATIONS, type DemoOrganization } from './demo-data';
import { expectAnswer, type ApiClient } from './http-client';
import type { StateDirectory } from './state-directory';

export interface SeededOrganization {
  readonly id: string;
  readonly slug: string;
  readonly api_key: string;
}

interface SeedRecord extends SeededOrganization {
  /** Whether its products were made. */
  readonly stocked: boolean;
}

interface Organization {
  readonly id: string;
  readonly slug: string;
}

const FILE = 'seed.json';

export interface SeedInput {
  readonly call: ApiClient;
  readonly adminToken: string;
  readonly state: StateDirectory;
  /** Names of all shards: the organizations are dealt out to them, so that there is one to look at on each of two. */
  readonly shards: readonly string[];
}

/** Rejects with a StackError that says what the api answered. Keys are kept for later starts. */
export async function seedDemo({ call, adminToken, state, shards }: SeedInput): Promise<SeededOrganization[]> {
  const kept = readRecords(state);
  const seeded: SeedRecord[] = [];
  for (const [index, demo] of DEMO_ORGANIZATIONS.entries()) {
    const shard = shards.length > 1 ? shards[index % shards.length] : undefined;
    const { id, isNew } = await findOrMake(call, adminToken, demo, shard);
    const known = kept.find((record) => record.id === id);
    const key = known !== undefined && (await works(call, known.api_key)) ? known.api_key : undefined;
    const record = {
      id,
      slug: demo.slug,
      api_key: key ?? (await makeKey(call, adminToken, id)),
      stocked: known?.stocked ?? !isNew,
    };
    seeded.push(record);
    // Kept before the products are made: a start that fails there goes on here the next time.
    state.writeJson(FILE, { organizations: seeded });
    if (!record.stocked) await stock(call, record.api_key, demo);
    seeded[seeded.length - 1] = { ...record, stocked: true };
    state.writeJson(FILE, { organizations: seeded });
  }
  return seeded.map(({ id, slug, api_key }) => ({ id, slug, api_key }));
}

async function findOrMake(
  call: ApiClient,
  token: string,
  demo: DemoOrganization,
  shard: string | undefined,
): Promise<{ id: string; isNew: boolean }> {
  const { slug, name, tier } = demo;
  const path = '/v1/admin/organizations';
  const made = await call({ method: 'POST', path, token, body: { slug, name, tier, ...(shard && { shard }) } });
  if (made.status === 201) return { id: (made.body as Organization).id, isNew: true };
  expectAnswer(made, `make the organization ${slug}`, 409);
  const found = await call({ method: 'GET', path: `${path}?slug=${slug}`, token });
  const { data } = expectAnswer<{ data: readonly Organization[] }>(found, `find the organization ${slug}`, 200);
  const match = data.find((organization) => organization.slug === slug);
  if (match === undefined)
    return expectAnswer(made, `make the organization ${slug}, which the api does not list either`);
  return { id: match.id, isNew: false };
}

async function makeKey(call: ApiClient, token: string, id: string): Promise<string> {
  const path = `/v1/admin/organizations/${id}/api_keys`;
  const made = await call({ method: 'POST', path, token, body: { name: 'demo', role: 'owner' } });
  return expectAnswer<{ key: string }>(made, 'make an API key', 201).key;
}

async function works(call: ApiClient, key: string): Promise<boolean> {
  return (await call({ method: 'GET', path: '/v1/me', token: key })).status === 200;
}

async function stock(call: ApiClient, token: string, { slug, products }: DemoOrganization): Promise<void> {
  if (products.length === 0) return;
  for (const { sku, name, price_minor, currency } of products) {
    const made = await call({
      method: 'POST',
      path: '/v1/products',
      token,
      body: { sku, name, price_minor, currency },
    });
    expectAnswer(made, `make the product ${sku}`, 201, 409); // 409: a start that failed half-way made it
  }
  const lines = products.map(({ sku, quantity }) => ({ sku, delta: quantity }));
  const adjusted = await call({
    method: 'POST',
    path: '/v1/adjustments',
    token,
    headers: { 'idempotency-key': `opening-stock-${slug}` },
    body: { reason: 'opening stock', lines },
  });
  expectAnswer(adjusted, `book the opening stock of ${slug}`, 200, 201);
}

function readRecords(state: StateDirectory): readonly SeedRecord[] {
  const { organizations } = (state.readJson(FILE) ?? {}) as { organizations?: unknown };
  return Array.isArray(organizations) ? (organizations as SeedRecord[]) : [];
}
