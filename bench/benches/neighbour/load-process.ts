/**
 * A load process: does the plans that its parent sends it, one after another, over kept-alive connections of node:http, and answers
 * each with a report. A latency counts from the time for which the request was planned, so that a stall counts for every request
 * that came in it.
 */
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Answered, ClosedPlan, LoadPlan, LoadReport, OpenPlan } from './load-plan';
import {
  arrivals,
  type Caller,
  idempotencyKey,
  jobRequest,
  liveRequest,
  type PlannedRequest,
  randomNumbers,
  someRequest,
} from './requests';

/** What takes longer counts as refused. */
const TIMEOUT_MS = 10_000;
const now = (): number => performance.timeOrigin + performance.now();

interface Reply {
  readonly status: number;
  readonly text: string;
}

class Client {
  private readonly agent: Agent;
  private readonly port: string;

  constructor(url: string, connections: number) {
    this.port = new URL(url).port;
    this.agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  }

  close(): void {
    this.agent.destroy();
  }

  /** Resolves with status 0 where no answer came. */
  send({ key }: Caller, { method, path, body }: PlannedRequest): Promise<Reply> {
    return new Promise((resolve) => {
      const done = (reply: Reply): void => {
        clearTimeout(timer);
        resolve(reply);
      };
      const none = (): void => done({ status: 0, text: '' });
      const headers = {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'idempotency-key': idempotencyKey(),
        }),
      };
      const options = { host: '127.0.0.1', port: this.port, agent: this.agent };
      const outgoing = httpRequest({ ...options, method, path, headers }, (message) => {
        const chunks: Buffer[] = [];
        message.on('data', (chunk: Buffer) => chunks.push(chunk));
        message.on('end', () => done({ status: message.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
        message.on('error', none);
      });
      const timer = setTimeout(() => outgoing.destroy(new Error('No answer in time.')), TIMEOUT_MS);
      outgoing.on('error', none);
      outgoing.end(body);
    });
  }
}

interface Due {
  readonly at: number;
  readonly caller: Caller;
  readonly request: PlannedRequest;
}

function duesOf({ callers, perSecond, seconds, leadInSeconds, seed, jobs, asks }: OpenPlan): Due[] {
  const dues = callers.flatMap((caller) => {
    const random = randomNumbers(seed * 1_000 + caller.tenant);
    const times = arrivals(perSecond / callers.length, leadInSeconds + seconds, random);
    return times.map((time): Due => {
      return {
        at: time - leadInSeconds * 1_000,
        caller,
        request: asks === 'live' ? liveRequest() : someRequest(caller, random),
      };
    });
  });
  for (let job = 0; job < jobs; job += 1) {
    const at = ((job + 0.5) / jobs) * seconds * 1_000;
    dues.push({ at, caller: callers[(seed + job) % callers.length]!, request: jobRequest() });
  }
  return dues.sort((one, other) => one.at - other.at);
}

async function openLoop(plan: OpenPlan): Promise<LoadReport> {
  const client = new Client(plan.url, plan.mostInFlight);
  const dues = duesOf(plan);
  const answered: Answered[] = [];
  const sentLateMs: number[] = [];
  const jobIds: string[] = [];
  const flights = new Set<Promise<void>>();
  let notSent = 0;
  const send = async ({ at, caller, request }: Due): Promise<void> => {
    const { status, text } = await client.send(caller, request);
    const milliseconds = now() - plan.startAt - at;
    if (at < 0) return;
    answered.push({ tenant: caller.tenant, kind: request.kind, status, milliseconds });
    if (request.kind === 'job' && status === 202) jobIds.push((JSON.parse(text) as { id: string }).id);
  };
  for (const due of dues) {
    const early = plan.startAt + due.at - now();
    if (early > 0) await pause(early);
    if (due.at >= 0) sentLateMs.push(Math.max(0, now() - plan.startAt - due.at));
    if (flights.size >= plan.mostInFlight) {
      if (due.at >= 0) notSent += 1;
      continue;
    }
    const flight = send(due).finally(() => flights.delete(flight));
    flights.add(flight);
  }
  await Promise.all(flights);
  client.close();
  return { answered, notSent, sentLateMs, jobIds, seconds: plan.seconds };
}

async function closedLoop(plan: ClosedPlan): Promise<LoadReport> {
  const client = new Client(plan.url, plan.inFlight);
  const random = randomNumbers(plan.seed);
  const answered: Answered[] = [];
  const countFrom = now() + plan.warmUpSeconds * 1_000;
  const until = countFrom + plan.seconds * 1_000;
  const lane = async (): Promise<void> => {
    for (let sent = now(); sent < until; sent = now()) {
      const caller = plan.callers[Math.floor(random() * plan.callers.length)]!;
      const request = someRequest(caller, random);
      const { status } = await client.send(caller, request);
      const at = now();
      if (at >= countFrom && at < until)
        answered.push({ tenant: caller.tenant, kind: request.kind, status, milliseconds: at - sent });
    }
  };
  await Promise.all(Array.from({ length: plan.inFlight }, lane));
  client.close();
  return { answered, notSent: 0, sentLateMs: [], jobIds: [], seconds: plan.seconds };
}

process.on('message', (plan: LoadPlan) => {
  const done = plan.loop === 'open' ? openLoop(plan) : closedLoop(plan);
  done.then(
    (report) => process.send!(report),
    (error: unknown) => {
      process.stderr.write(`load: ${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));
