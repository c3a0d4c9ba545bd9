/** The types of what the API answers, from the shapes with which the server describes it. Types alone: no code of the server is in the page. */
import type { ShapeType } from '#libs/kernel';
import type {
  ActivityView,
  PlatformView,
  RangeName,
  SESSION,
  SORTS,
  TenantsView,
  TenantView,
} from '../../../src/dashboard/dashboard.shape';

export type { ActivityView, PlatformView, RangeName, TenantsView, TenantView };
export type SessionView = ShapeType<typeof SESSION>;
export type SortName = (typeof SORTS)[number];
export type Period = PlatformView['period'];
export type Amounts = PlatformView['totals'];
export type Point = PlatformView['series'][number];
export type Budget = PlatformView['budgets'][number];
export type Deploy = PlatformView['deploys'][number];
export type Limit = TenantView['limits'][number];
export type Cost = TenantView['cost'];
