/** The dashboards, by the file that holds each. */
import { join } from 'node:path';
import { CLUSTER } from './cluster';
import { dashboard, type Dashboard } from './dashboard';
import { JOBS } from './jobs';
import { PLATFORM } from './platform';
import { TENANTS } from './tenants';

export const DIRECTORY = 'deploy/grafana/dashboards';

export const DASHBOARDS: ReadonlyMap<string, Dashboard> = new Map(
  [PLATFORM, JOBS, CLUSTER, TENANTS].map((source) => [join(DIRECTORY, `${source.uid}.json`), dashboard(source)]),
);
