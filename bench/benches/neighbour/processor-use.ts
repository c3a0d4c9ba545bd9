/** What the processes of the bench take of the processors in rounds of each kind, and how long their event loops stand still. */
import { processorSeconds } from '../../harness/processor-time';
import { ROUND_KINDS, type RoundKind } from './round-kind';

export interface Watched {
  readonly name: string;
  readonly pid: number;
  /** Of one that answers `/metrics`. */
  readonly url?: string;
}

interface Sum {
  seconds: number;
  readonly cores: Map<string, number>;
  /** Longest 99th percentile of the event loop's delay. */
  readonly lagMs: Map<string, number>;
}

const LAG = /^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)$/m;

async function lagMs(url: string): Promise<number> {
  const [, seconds] = LAG.exec(await (await fetch(`${url}/metrics`)).text()) ?? [];
  return Number(seconds ?? 0) * 1_000;
}

export class ProcessorUse {
  private readonly sums = new Map<RoundKind, Sum>(
    ROUND_KINDS.map((kind) => [kind, { seconds: 0, cores: new Map(), lagMs: new Map() }]),
  );

  constructor(private readonly watched: readonly Watched[]) {}

  /** Resolves with what ends the measuring of a round. A reading of the lag begins the next. */
  async start(kind: RoundKind): Promise<() => Promise<void>> {
    await this.lags();
    const before = this.read();
    const began = performance.now();
    return async () => {
      const sum = this.sums.get(kind)!;
      const after = this.read();
      sum.seconds += (performance.now() - began) / 1_000;
      for (const { name } of this.watched) {
        sum.cores.set(name, (sum.cores.get(name) ?? 0) + after.get(name)! - before.get(name)!);
      }
      for (const [name, lag] of await this.lags()) sum.lagMs.set(name, Math.max(sum.lagMs.get(name) ?? 0, lag));
    };
  }

  /** A line a process. */
  describe(): string {
    const each = (of: (sum: Sum) => string) =>
      ROUND_KINDS.map((kind) => `${of(this.sums.get(kind)!)} (${kind})`).join(', ');
    return this.watched
      .map(({ name, url }) => {
        const cores = each(({ seconds, cores: used }) => ((used.get(name) ?? 0) / Math.max(seconds, 1)).toFixed(2));
        const lags = each(({ lagMs: lag }) => (lag.get(name) ?? 0).toFixed(0));
        return `  ${name.padEnd(14)} cores ${cores}${url === undefined ? '' : `; event loop late by ms (p99) ${lags}`}`;
      })
      .join('\n');
  }

  private read(): Map<string, number> {
    return new Map(this.watched.map(({ name, pid }) => [name, processorSeconds(pid)]));
  }

  private async lags(): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (const { name, url } of this.watched) if (url !== undefined) found.set(name, await lagMs(url));
    return found;
  }
}
