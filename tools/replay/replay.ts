/**
 * The replay from beginning to end: survey the file, open the organizations, send every operation, check the platform
 * against the fold. Two passes over the file, neither of which holds it.
 */
import { randomBytes } from 'node:crypto';
import { checkMoney } from './checks/check-money';
import { checkStock } from './checks/check-stock';
import { checkWall, type OwnedIds } from './checks/check-wall';
import { HttpClient } from './client/http-client';
import { StockyardApi } from './client/stockyard-api';
import { Survey } from './model/survey';
import type { ReplayOptions } from './options';
import type { Progress } from './output/progress';
import { summarize, type Summary } from './output/summary';
import { Mismatches } from './run/mismatches';
import { openOrganizations } from './run/opening';
import { replayOperations, type ReplayOutcome } from './run/replay-operations';
import { inParallel, type ReplayedOrganization } from './run/replayed-organization';
import { newCounts, readInvoices, type SourceCounts } from './source/invoices';

export type ReplayInput = Omit<ReplayOptions, 'json'>;

const PARALLEL_CHECKS = 4;

interface Dirt {
  readonly counts: SourceCounts;
  readonly survey: Survey;
}

async function surveyFile(input: ReplayInput, progress: Progress): Promise<Dirt> {
  const counts = newCounts();
  const survey = new Survey();
  progress.begin('survey', 0, 'invoices');
  for await (const invoice of readInvoices({ file: input.file, limit: input.limitInvoices, counts })) {
    survey.add(invoice);
    progress.advance(1);
  }
  progress.end();
  return { counts, survey };
}

function tellDirt({ counts, survey }: Dirt, progress: Progress): void {
  const told: readonly [number, string][] = [
    [counts.broken, 'lines with a missing or malformed field were left out'],
    [counts.zero, 'lines of quantity 0 were left out'],
    [counts.furtherParts, 'further parts were made of invoices with more lines than one order takes'],
    [survey.repeatedInvoices, 'times an invoice number came again later; each became an order of its own'],
  ];
  for (const [count, what] of told) if (count > 0) progress.note(`${count} ${what}.`);
}

interface Checked {
  readonly api: StockyardApi;
  readonly run: string;
  readonly organizations: readonly ReplayedOrganization[];
  readonly orderIds: ReplayOutcome['orderIds'];
  readonly mismatches: Mismatches;
  readonly progress: Progress;
}

async function check({ api, run, organizations, orderIds, mismatches, progress }: Checked): Promise<void> {
  const owned: OwnedIds[] = [];
  progress.begin('checks', organizations.length, 'organizations');
  await inParallel(PARALLEL_CHECKS, organizations, async (organization) => {
    const products = await checkStock(api, organization, mismatches);
    await checkMoney(api, organization, mismatches);
    owned.push({ organization, orders: orderIds.get(organization.country) ?? [], products });
    progress.advance(1);
  });
  progress.end();
  if (owned.length === 1) {
    // Nobody else is there to look over the wall: an organization without anything does.
    const outsider = await api.createOrganization(`replay-${run}-outsider`, 'Replay outsider');
    owned.push({ organization: { ...outsider, country: 'the outsider' }, orders: [], products: [] });
  }
  const probes = await checkWall(api, owned, mismatches);
  progress.note(`${probes} ids of other organizations were asked for.`);
}

/** Replays and checks. Rejects where it cannot go on; differences are counted in the summary and told by progress. */
export async function replay(input: ReplayInput, progress: Progress): Promise<Summary> {
  const run = randomBytes(4).toString('hex');
  const http = new HttpClient(input.apiUrl, input.concurrency);
  const api = new StockyardApi(http, input.adminToken);
  const mismatches = new Mismatches();
  try {
    await api.assertReachable();
    const dirt = await surveyFile(input, progress);
    tellDirt(dirt, progress);
    const { survey } = dirt;
    const organizations = await openOrganizations({ api, run, scarcity: input.scarcity, progress }, survey);
    progress.begin('replay', survey.operations, 'operations');
    const source = { file: input.file, limit: input.limitInvoices, counts: newCounts() };
    const { concurrency } = input;
    const outcome = await replayOperations({ api, run, source, organizations, concurrency, mismatches, progress });
    progress.end();
    if (http.retries > 0) progress.note(`${http.retries} requests were sent again after a 503 or a broken connection.`);
    const { orderIds } = outcome;
    await check({ api, run, organizations: [...organizations.values()], orderIds, mismatches, progress });
    for (const difference of mismatches.first) progress.note(`mismatch: ${difference}`);
    const unseen = mismatches.count - mismatches.first.length;
    if (unseen > 0) progress.note(`… and ${unseen} more mismatches.`);
    return summarize({
      totals: [...organizations.values()].map(({ fold }) => fold.totals),
      products: survey.products,
      mismatches: mismatches.count,
      ...outcome,
    });
  } finally {
    http.close();
  }
}
