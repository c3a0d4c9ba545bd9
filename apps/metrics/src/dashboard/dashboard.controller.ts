/** /v1/dashboard: what the page shows, for operators and for tenants, each of what they may see. */
import { Controller, Get, Header, Param, Query } from '@nestjs/common';
import { RequirePermission } from '#libs/identity';
import { Fields, shape, type ShapeType } from '#libs/kernel';
import { CurrentReader, type Reader, requireOperator, requireReaderOf } from '../access/reader';
import { READ_PERMISSION } from '../access/reader.service';
import {
  ACTIVITY_QUERY,
  type ActivityView,
  type PlatformView,
  RANGE_QUERY,
  type SESSION,
  TENANTS_QUERY,
  type TenantsView,
  type TenantView,
} from './dashboard.shape';
import { PlatformViewService } from './platform/platform-view.service';
import { TenantViewService } from './tenant/tenant-view.service';
import { TenantsTable } from './tenants/tenants-table.service';

export const ORGANIZATION_ID = shape(Fields.id());
const NO_STORE = ['Cache-Control', 'no-store'] as const;

@RequirePermission(READ_PERMISSION)
@Controller('v1/dashboard')
export class DashboardController {
  constructor(
    private readonly platform: PlatformViewService,
    private readonly tenants: TenantsTable,
    private readonly tenant: TenantViewService,
  ) {}

  @Get('session')
  @Header(...NO_STORE)
  session(@CurrentReader() reader: Reader): ShapeType<typeof SESSION> {
    if (reader.kind === 'operator') return { reader: 'operator', organization_id: null, name: null };
    const { id, name } = reader.organization;
    return { reader: 'tenant', organization_id: id, name };
  }

  @Get('platform')
  @Header(...NO_STORE)
  async platformView(
    @CurrentReader() reader: Reader,
    @Query({ schema: RANGE_QUERY }) { range }: ShapeType<typeof RANGE_QUERY>,
  ): Promise<PlatformView> {
    requireOperator(reader);
    return (await this.platform.look(range)).view;
  }

  @Get('tenants')
  @Header(...NO_STORE)
  table(
    @CurrentReader() reader: Reader,
    @Query({ schema: TENANTS_QUERY }) query: ShapeType<typeof TENANTS_QUERY>,
  ): Promise<TenantsView> {
    requireOperator(reader);
    return this.tenants.page(query);
  }

  @Get('tenants/:id')
  @Header(...NO_STORE)
  async tenantView(
    @CurrentReader() reader: Reader,
    @Param('id', { schema: ORGANIZATION_ID }) organizationId: string,
    @Query({ schema: RANGE_QUERY }) { range }: ShapeType<typeof RANGE_QUERY>,
  ): Promise<TenantView> {
    requireReaderOf(reader, organizationId);
    return (await this.tenant.look({ organizationId, range, forOperator: reader.kind === 'operator' })).view;
  }

  @Get('tenants/:id/activity')
  @Header(...NO_STORE)
  activity(
    @CurrentReader() reader: Reader,
    @Param('id', { schema: ORGANIZATION_ID }) organizationId: string,
    @Query({ schema: ACTIVITY_QUERY }) query: ShapeType<typeof ACTIVITY_QUERY>,
  ): Promise<ActivityView> {
    requireReaderOf(reader, organizationId);
    return this.tenant.activity({ organizationId, ...query });
  }
}
