/**
 * Which region an organization lives in, and what is answered in another one (docs/regions.md). Its shard says so, because that
 * is where its rows are; its own label counts where the configuration does not name the shard.
 */
import type { AppConfig } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import type { Organization } from './directory';

/** The part of the configuration that says it. */
export type RegionConfig = Pick<AppConfig, 'REGION' | 'regions' | 'shardRegions'>;

const WRONG_REGION = 'wrong_region';

export class Regions {
  /** Of this deployment. */
  readonly own: string;

  constructor(private readonly config: RegionConfig) {
    this.own = config.REGION;
  }

  /** Whether there is any other region. */
  get several(): boolean {
    return this.names.length > 1;
  }

  get names(): readonly string[] {
    return Object.keys(this.config.regions);
  }

  private isKnown(region: string): boolean {
    return Object.hasOwn(this.config.regions, region);
  }

  of({ region, shard }: Pick<Organization, 'region' | 'shard'>): string {
    return this.ofShard(shard) ?? (this.isKnown(region) ? region : this.own);
  }

  /** undefined for a shard that the configuration does not name. */
  ofShard(name: string): string | undefined {
    return Object.hasOwn(this.config.shardRegions, name) ? this.config.shardRegions[name] : undefined;
  }

  /** Whether its rows are in this region. */
  serves(organization: Pick<Organization, 'region' | 'shard'>): boolean {
    return this.of(organization) === this.own;
  }

  /** Throws `wrong_region` (421) for an organization of another region. */
  requireServed(organization: Pick<Organization, 'region' | 'shard'>): void {
    if (!this.serves(organization)) throw this.refusal(this.of(organization));
  }

  /** The region that a new organization is to have. Throws `wrong_region` (421) for another one, `unknown_region` (422) for none of REGIONS. */
  forNew(wanted: string | undefined): string {
    if (wanted === undefined || wanted === this.own) return this.own;
    if (this.isKnown(wanted)) throw this.refusal(wanted, `Organizations of the region ${wanted} are made there`);
    if (this.names.length > 0) throw unknownRegion('region', wanted, this.names);
    return wanted; // a label and nothing more, as long as there is one region
  }

  /** The region of an organization that comes from an archive: it lives where it is restored. */
  forArrival(label: string): string {
    return this.names.length > 0 ? this.own : label;
  }

  /** Throws `unknown_region` (422) for what is no other region. */
  requireOther(region: string, param: string): void {
    const others = this.names.filter((name) => name !== this.own);
    if (!others.includes(region)) throw unknownRegion(param, region, others);
  }

  /** Says where to ask instead. Only for whoever has proved that it is theirs to know. */
  refusal(region: string, what = `The organization lives in the region ${region}, not in ${this.own}`): StockyardError {
    const endpoint = this.config.regions[region];
    return new StockyardError({
      code: WRONG_REGION,
      category: 'misdirected',
      message: `${what}: send the request to ${endpoint ?? 'its api'}.`,
      details: { region, ...(endpoint !== undefined && { endpoint }) },
    });
  }
}

/** True for the refusal of an organization because of its region. */
export function isWrongRegion(error: unknown): boolean {
  return error instanceof StockyardError && error.code === WRONG_REGION;
}

function unknownRegion(param: string, region: string, known: readonly string[]): StockyardError {
  return new StockyardError({
    code: 'unknown_region',
    category: 'unprocessable',
    param,
    message: `"${region}" is not among the regions ${known.join(', ')}.`,
    details: { regions: known },
  });
}
