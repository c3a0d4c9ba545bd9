/** Opens the organizations: one a country, each with its products and opening stock through an import job. */
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'csv-stringify/sync';
import type { StockyardApi } from '../client/stockyard-api';
import { OrganizationFold } from '../model/fold';
import type { Scarcity } from '../model/scarcity';
import type { CountrySurvey, Survey } from '../model/survey';
import type { Progress } from '../output/progress';
import { inParallel, type ReplayedOrganization, slugOf } from './replayed-organization';

export interface Opening {
  readonly api: StockyardApi;
  /** Part of slugs and Idempotency-Keys; new for each run. */
  readonly run: string;
  readonly scarcity: Scarcity;
  readonly progress: Progress;
}

const PARALLEL_IMPORTS = 4;
const POLL_MS = 200;
const CURRENCY = 'GBP';
const FAILED = new Set(['failed', 'cancelled']);

function openingCsv(survey: CountrySurvey, fold: OrganizationFold): string {
  const rows = [...survey.products.values()].map(({ sku, name, priceMinor }) => [
    sku,
    name,
    (priceMinor / 100).toFixed(2),
    CURRENCY,
    fold.state(sku).level,
  ]);
  return stringify([['sku', 'name', 'price', 'currency', 'on_hand'], ...rows]);
}

async function importStock(opening: Opening, organization: ReplayedOrganization, csv: string): Promise<void> {
  const { api, progress } = opening;
  const { id } = await api.startImport(organization.key, csv, `${organization.slug}-opening`);
  for (let shown = 0; ;) {
    const job = await api.job(organization.key, id);
    const { processed, failed } = job.progress;
    progress.advance(Math.max(0, processed - shown));
    shown = Math.max(shown, processed);
    if (FAILED.has(job.state) || failed > 0) {
      throw new Error(`The import of the opening stock of ${organization.country} failed: ${JSON.stringify(job)}`);
    }
    if (job.state === 'completed') return;
    await delay(POLL_MS);
  }
}

/** The organizations by country, ready to sell. Rejects where one cannot be made or an import has a line in error. */
export async function openOrganizations(opening: Opening, survey: Survey): Promise<Map<string, ReplayedOrganization>> {
  const { api, run, scarcity, progress } = opening;
  const slugs = new Set<string>();
  const named = [...survey.countries.values()].map((country) => {
    const slug = slugOf(run, country.country, slugs);
    slugs.add(slug);
    return { country, slug };
  });
  const opened = new Map<string, ReplayedOrganization>();
  progress.begin('opening stock', survey.products, 'products');
  await inParallel(PARALLEL_IMPORTS, named, async ({ country: surveyed, slug }) => {
    const fold = new OrganizationFold(surveyed, scarcity);
    const account = await api.createOrganization(slug, `Replay ${surveyed.country}`);
    const organization = { country: surveyed.country, slug, fold, ...account };
    if (surveyed.products.size > 0) await importStock(opening, organization, openingCsv(surveyed, fold));
    opened.set(surveyed.country, organization);
  });
  progress.end();
  return opened;
}
