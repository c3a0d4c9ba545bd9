/** What the dashboard is made of: its views, their streams and their API, beside the services of the metrics process. */
import { CacheSizes } from '#libs/cache';
import { RateLimitReader } from '#libs/throttling';
import { ReaderService } from '../access/reader.service';
import { DashboardController } from './dashboard.controller';
import { DashboardEventsController } from './dashboard-events.controller';
import { MonthCosts } from './month-costs.service';
import { DeploysRepository } from './platform/deploys.repository';
import { PlatformState } from './platform/platform-state.service';
import { PlatformSums } from './platform/platform-sums.service';
import { PlatformViewService } from './platform/platform-view.service';
import { ShardFiguresService } from './platform/shard-figures.service';
import { DashboardWatchers } from './stream/dashboard-watchers.service';
import { ViewStreams } from './stream/view-streams.service';
import { TenantActivity } from './tenant/tenant-activity.service';
import { TenantHoldingsRepository } from './tenant/tenant-holdings.repository';
import { TenantLimits } from './tenant/tenant-limits.service';
import { TenantReads } from './tenant/tenant-reads.service';
import { TenantViewService } from './tenant/tenant-view.service';
import { ResidentsRepository } from './tenants/residents.repository';
import { TenantsTable } from './tenants/tenants-table.service';

export const DASHBOARD_CONTROLLERS = [DashboardController, DashboardEventsController];

export const DASHBOARD_PROVIDERS = [
  CacheSizes,
  DashboardWatchers,
  DeploysRepository,
  MonthCosts,
  PlatformState,
  PlatformSums,
  PlatformViewService,
  RateLimitReader,
  ReaderService,
  ResidentsRepository,
  ShardFiguresService,
  TenantActivity,
  TenantHoldingsRepository,
  TenantLimits,
  TenantReads,
  TenantsTable,
  TenantViewService,
  ViewStreams,
];
