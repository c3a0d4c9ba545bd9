/**
 * The shards of this region, and the home shard, which keeps the directory, wherever it is; with the probes that keep their states.
 * Shards of other regions are known by name and never opened. Pools close with the application.
 */
import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { APP_CONFIG, type AppConfig, HOME_SHARD, type ShardTopology } from '#libs/config';
import { Regions, shardKeyOf } from '#libs/tenancy';
import { shardElsewhere, unknownShard } from '../database.error';
import { FallbackGate } from '../routing/fallback-gate';
import { DatabaseNode, isRefusal } from './database-node';
import type { ServingRole } from './node-pool';
import { NodeProber } from './node-prober';
import { nodeSnapshot, type NodeSnapshot } from './node-snapshot';
import { PrimaryPool } from './primary-pool';
import { Shard } from './shard';

/** Name of the process in pg_stat_activity. */
export const APPLICATION_NAME = Symbol('APPLICATION_NAME');

/** How long a boot waits for the home shard's primary. */
const BOOT_WAIT_MS = 5_000;

function hostOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || '5432'}`;
}

@Injectable()
export class Shards implements OnModuleInit, OnApplicationShutdown {
  readonly regions: Regions;
  private readonly directory: Shard;
  private readonly byName: ReadonlyMap<string, Shard>;
  private readonly prober: NodeProber;

  constructor(
    @Inject(APP_CONFIG) private readonly config: AppConfig,
    @Inject(APPLICATION_NAME) private readonly applicationName: string,
  ) {
    this.regions = new Regions(config);
    this.byName = new Map(config.shards.map((topology) => [topology.name, this.open(topology)]));
    this.directory = this.byName.get(HOME_SHARD) ?? this.open(config.directory);
    this.prober = new NodeProber(this.opened(), config.DATABASE_PROBE_MS, new Logger('Shards'));
  }

  /** The home shard's primary is needed to boot: what guards the wall asks it next. */
  async onModuleInit(): Promise<void> {
    await this.prober.start();
    await this.home().primaryWithin(BOOT_WAIT_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.prober.stop();
    await Promise.all(this.opened().flatMap(({ nodes }) => nodes.map((node) => node.close())));
  }

  /** Those that tenants of this region live on; the home shard first, where it is one of them. */
  all(): readonly Shard[] {
    return [...this.byName.values()];
  }

  /** The shard that keeps the directory. */
  home(): Shard {
    return this.directory;
  }

  find(name: string): Shard | undefined {
    return this.byName.get(name);
  }

  /** Throws `unknown_shard` (422) for a name that is not configured, `shard_in_other_region` (422) for one of another region. */
  get(name: string): Shard {
    const shard = this.find(name);
    if (shard) return shard;
    const region = this.regions.ofShard(name);
    if (region !== undefined) throw shardElsewhere(name, region, this.regions.own);
    throw unknownShard(name, [...this.byName.keys()]);
  }

  /** Where an organization may begin that its bucket puts on `shard`: there, or on a shard of this region if that is in another. */
  forNew(organizationId: string, shard: string): string {
    if (this.byName.has(shard) || this.regions.ofShard(shard) === undefined) return shard;
    const names = [...this.byName.keys()];
    return names[shardKeyOf(organizationId) % names.length]!;
  }

  /** A role's connections to the primary of a shard. */
  pool(shard: string, role: ServingRole): PrimaryPool {
    return new PrimaryPool(shard === HOME_SHARD ? this.directory : this.get(shard), role);
  }

  /** Every node as this process sees it at the moment. */
  snapshot(): NodeSnapshot[] {
    const now = performance.now();
    return this.opened().flatMap((shard) => shard.nodes.map((node) => nodeSnapshot(shard, node, now)));
  }

  /** Asks a node now. Never rejects. */
  ask(shard: Shard, node: DatabaseNode): Promise<void> {
    return this.prober.probeAnew(shard, node);
  }

  /** Asks all nodes now. Resolves as soon as the shard is known to be on `timeline` or a later one, or none has said so. */
  async lookFor(shard: Shard, timeline: string): Promise<void> {
    const looks = shard.nodes.map(async (node) => {
      await this.ask(shard, node);
      if ((shard.timeline ?? '') < timeline) throw new Error('not this one');
    });
    await Promise.any(looks).catch(() => undefined);
  }

  /** A use of a node failed as connections fail: the node is asked at once, and is down if it refused. */
  noteFailure(shard: Shard, node: DatabaseNode, error: unknown): void {
    if (isRefusal(error)) {
      node.failed(error);
      shard.refresh(performance.now());
    }
    void this.prober.probe(shard, node);
  }

  private opened(): Shard[] {
    return [...new Set([this.directory, ...this.all()])];
  }

  private open({ name, hosts, replicas }: ShardTopology): Shard {
    const { config, applicationName } = this;
    const node = (candidate: boolean) => (url: string) =>
      new DatabaseNode({ config, applicationName, url, name: hostOf(url), candidate });
    const candidates = hosts.map(node(true));
    const taken = new Set(candidates.map((candidate) => candidate.name));
    const others = replicas.filter((url) => !taken.has(hostOf(url))).map(node(false));
    const { DATABASE_POOL_SIZE: size, DATABASE_FALLBACK_PERCENT: percent, DATABASE_POOL_WAIT_MS: waitMs } = config;
    const fallback = new FallbackGate(Math.max(1, Math.floor((size * percent) / 100)), waitMs);
    return new Shard(name, [...candidates, ...others], config.DATABASE_REPLICA_MAX_LAG_MS, fallback);
  }
}
