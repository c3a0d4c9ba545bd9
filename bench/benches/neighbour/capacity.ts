/** What the platform can do of the mix, in requests a second. */
import type { Load } from './load';
import type { Tenant } from './tenants';

const IN_FLIGHT = 32;
const WARM_UP_SECONDS = 5;
const SECONDS = 8;

/** `tenants`: without limits that bind. Answers other than successes do not count. */
export async function measureCapacity(load: Load, url: string, tenants: readonly Tenant[]): Promise<number> {
  const { answered, seconds } = await load.run({
    ...{ loop: 'closed', url, seconds: SECONDS, warmUpSeconds: WARM_UP_SECONDS },
    ...{ inFlight: IN_FLIGHT, seed: 1, callers: tenants },
  });
  return answered.filter(({ status }) => status >= 200 && status < 300).length / seconds;
}
