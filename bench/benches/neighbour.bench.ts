/**
 * What a neighbour does to others: nine tenants at a steady 20 % of what the platform can do, against the same nine beside a tenth
 * that sends ten times as many requests as its limit, reads and orders, and has 50,000 jobs waiting. All are `professional`.
 *
 * - p99: of the nine's requests, in milliseconds. A latency counts from the time for which a request was planned (open loop,
 *   Poisson arrivals), not from when it could be sent. Both rounds of a pair have the same requests at the same times
 * - floor: the same beside a tenth that only asks for `/live`, as often, and has no jobs: what the machine takes for being asked
 * - worst_p99: of the tenant that has the highest
 * - refused: requests of the nine that were not answered with a status below 400, of all rounds, job requests included
 * - jobs: the position of a job that one of the nine makes (benches/neighbour/job-positions.ts), the worst of a round
 *
 * Capacity is measured first: the same mix by tenants without limits, 32 requests in flight. Each loud round begins with an unused
 * minute of the tenth, so that it is first admitted at ten times the rate that it may keep up, and refused then. A loud round that is
 * not counted goes before.
 *
 * All of it shares one machine and its processors: the api, one worker, Postgres with its usual durability, Redis (compiled to
 * WebAssembly where there is no native one), and two processes that make the load, one for the nine and one for the tenth. In
 * production the worker and the databases have processors of their own. The tenth's load process has the lowest priority: what the
 * clients of a loud tenant take of their own machines is no part of what they do to others.
 */
import { Redis } from 'ioredis';
import { Queue } from 'bullmq';
import { queuePrefix } from '#libs/queues';
import { TIER_LIMITS } from '#libs/tenancy';
import type { Bench, Comparison, Contestant } from '../harness/bench';
import { startApiProcess, startWorkerProcess } from '../harness/platform-process';
import { startBenchServers } from '../harness/servers';
import { quantile } from '../harness/statistics';
import { measureCapacity } from './neighbour/capacity';
import { Load } from './neighbour/load';
import type { Answered } from './neighbour/load-plan';
import { ProcessorUse } from './neighbour/processor-use';
import { ROUND_KINDS, type RoundKind } from './neighbour/round-kind';
import { type Round, Rounds } from './neighbour/rounds';
import { type Tenant, Tenants } from './neighbour/tenants';

const TIER = 'professional';
const NINE = 9;
const SHARE = 0.2;
const EXCESS = 10;
const SECONDS = 13;
const JOBS = 10;
/** Of those that measure the capacity. */
const UNLIMITED = { requests_per_minute: 10_000_000, api_calls_per_hour: 100_000_000, max_connections: 100 };
const UNLIMITED_TENANTS = 3;
/** As in production: specs have others. */
const SETTINGS = { RATE_LIMIT_MEMORY_MS: '900000', DATABASE_POOL_SIZE: '12' };

const tell = (text: string): void => void process.stderr.write(`  ${text}\n`);

const p99 = (answered: readonly Answered[]): number =>
  quantile(
    answered.map(({ milliseconds }) => milliseconds).sort((one, other) => one - other),
    0.99,
  );
/** Only loud rounds have jobs made. */
const compared = ({ nine }: Round): Answered[] => nine.answered.filter(({ kind }) => kind !== 'job');
const p99Of = (round: Round): number => p99(compared(round));

function worstP99Of(round: Round): number {
  const all = compared(round);
  const tenants = [...new Set(all.map(({ tenant }) => tenant))];
  return Math.max(...tenants.map((which) => p99(all.filter(({ tenant }) => tenant === which))));
}

const refusedOf = ({ nine }: Round): number =>
  nine.notSent + nine.answered.filter(({ status }) => status < 200 || status >= 400).length;

/** Of the job that is furthest behind its fair position. */
function worstJobOf({ positions }: Round) {
  const behind = [...positions].sort((one, other) => other.position / other.fair - one.position / one.fair);
  return behind[0] ?? { position: Infinity, fair: 1 };
}

/** `90 × 200, 3 × 429`. */
function statusesOf(answered: readonly Answered[]): string {
  const counts = new Map<number, number>();
  for (const { status } of answered) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts]
    .sort(([one], [other]) => one - other)
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ');
}

function describeRound(kind: string, round: Round): void {
  const { nine, tenth, positions } = round;
  const late = [...nine.sentLateMs].sort((one, other) => one - other);
  const parts = [`${kind}: the nine ${statusesOf(nine.answered)}, p99 ${p99Of(round).toFixed(1)} ms`];
  parts.push(`sent late by ${quantile(late, 0.99).toFixed(1)} ms (p99)`);
  if (tenth) parts.push(`the tenth ${statusesOf(tenth.answered)}, ${tenth.notSent} not sent`);
  if (positions.length > 0)
    parts.push(`jobs ${positions.map(({ position, fair }) => `${position}/${fair}`).join(' ')}`);
  tell(parts.join('; '));
}

type Play = (number: number) => Promise<Round>;

/** Plays a round and takes its figure; each time the next. */
function ofEach(name: string, play: Play, figure: (round: Round) => number): Contestant {
  let next = 0;
  return { name, run: async () => figure(await play(next++)) };
}

function* comparisonsOf(rounds: Rounds): Generator<Comparison> {
  const told = new Set<Round>();
  const playing = (kind: RoundKind) => async (number: number) => {
    const round = await rounds.round(kind, number);
    if (!told.has(round)) describeRound(kind, round);
    told.add(round);
    return round;
  };
  const [quiet, asked, loud] = ROUND_KINDS.map(playing) as [Play, Play, Play];
  /** All three kinds by turns: the second is compared when the others have been. */
  const quietThenAsked: Play = async (number) => {
    const round = await quiet(number);
    await asked(number);
    return round;
  };
  yield {
    name: 'p99',
    measures: 'own',
    subject: ofEach('loud', loud, p99Of),
    reference: ofEach('quiet', quietThenAsked, p99Of),
  };
  const pairs = Math.max(rounds.made, 1);
  yield {
    ...{ name: 'floor', measures: 'own', pairs },
    subject: ofEach('asked', asked, p99Of),
    reference: ofEach('quiet', quiet, p99Of),
  };
  yield {
    ...{ name: 'worst_p99', measures: 'own', pairs },
    subject: ofEach('loud', loud, worstP99Of),
    reference: ofEach('quiet', quiet, worstP99Of),
  };
  yield {
    ...{ name: 'jobs', measures: 'own', pairs },
    subject: ofEach('position', loud, (round) => worstJobOf(round).position),
    reference: ofEach('fair', loud, (round) => worstJobOf(round).fair),
  };
  const refused = async () => (await rounds.all()).reduce((sum, round) => sum + refusedOf(round), 0);
  yield {
    ...{ name: 'refused', measures: 'own', pairs: 1 },
    subject: { name: 'nine', run: refused },
    reference: { name: 'one', run: () => 1 },
  };
}

export const NEIGHBOUR_BENCH: Bench = {
  name: 'neighbour',
  about: 'nine tenants at 20 % of the capacity beside one at ten times its limit with 50,000 jobs, against without it.',
  async *compare(): AsyncGenerator<Comparison> {
    await using opened = new AsyncDisposableStack();
    const servers = await startBenchServers({ overrides: SETTINGS, durable: true });
    opened.defer(() => servers.close());
    const { environment, postgres } = servers;
    const { config } = environment;
    const api = await startApiProcess(environment);
    opened.defer(() => api.stop());
    const worker = await startWorkerProcess(environment);
    opened.defer(() => worker.stop());
    const [ofNine, ofTenth] = [opened.use(new Load()), opened.use(new Load({ givesWay: true }))];
    const redis = opened.adopt(new Redis(config.REDIS_URL), (client) => client.disconnect());
    const queue = opened.adopt(
      new Queue('normal', { connection: { url: config.REDIS_URL }, prefix: queuePrefix(config, 'normal') }),
      (one) => one.close(),
    );
    const tenants = new Tenants(environment, api, redis);
    const make = async (count: number, limits = {}): Promise<Tenant[]> => {
      const made: Tenant[] = [];
      for (let tenant = 0; tenant < count; tenant += 1) made.push(await tenants.make(tenant, TIER, limits));
      return made;
    };
    const unlimited = await make(UNLIMITED_TENANTS, UNLIMITED);
    const [tenth, ...nine] = (await make(NINE + 1)) as [Tenant, ...Tenant[]];
    await environment.query('vacuum analyze');
    const capacity = await measureCapacity(ofNine, api.url, unlimited);
    const { requestsPerMinute, maxWaitingJobs } = TIER_LIMITS[TIER];
    const [ratePerSecond, tenthPerSecond] = [capacity * SHARE, (EXCESS * requestsPerMinute) / 60];
    tell(
      `Capacity ${capacity.toFixed(0)}/s: the nine send ${ratePerSecond.toFixed(0)}/s together, the tenth ${tenthPerSecond}/s.`,
    );
    const use = new ProcessorUse([
      { name: 'api', pid: api.pid, url: api.url },
      { name: 'worker', pid: worker.pid, url: worker.url },
      { name: 'postgres', pid: postgres.pid! },
      { name: 'redis', pid: servers.redis.pid! },
      { name: 'load of nine', pid: ofNine.pid },
      { name: 'load of tenth', pid: ofTenth.pid },
    ]);
    const rounds = new Rounds({
      ...{ environment, url: api.url, tenants, nine, tenth, ofNine, ofTenth, queue, use },
      ...{
        seconds: SECONDS,
        ratePerSecond,
        tenthPerSecond,
        requestsPerMinute,
        jobs: JOBS,
        waitingJobs: maxWaitingJobs,
      },
    });
    await rounds.hold();
    await rounds.warmUp();
    yield* comparisonsOf(rounds);
    process.stderr.write(`${use.describe()}\n`);
  },
};
