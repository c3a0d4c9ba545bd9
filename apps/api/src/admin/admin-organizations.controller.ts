/** Organizations, for the operators of the platform. */
import { Body, Controller, Get, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, IfMatch, page } from '#libs/http';
import { Operators } from '#libs/identity';
import { Fields, shape, type ShapeType } from '#libs/kernel';
import { OrganizationService } from '#libs/organizations';
import { RequestId } from '../access/request-id.decorator';
import { CREATE_API_KEY, NEW_API_KEY, newApiKeyBody, toApiKeyRequest } from '../api-keys/api-key.shape';
import { CREATE_USER, USER, userBody } from '../users/user.shape';
import {
  CREATE_ORGANIZATION,
  ORGANIZATION,
  ORGANIZATION_PAGE,
  ORGANIZATION_QUERY,
  organizationBody,
  PUT_LIMITS,
  toLimitOverrides,
  toNewOrganization,
  UPDATE_ORGANIZATION,
} from './organization.shape';
import { ProvisioningService } from './provisioning.service';

const ID = shape(Fields.id());

@ApiTags('admin')
@ApiBearerAuth()
@Operators()
@Controller('v1/admin/organizations')
export class AdminOrganizationsController {
  constructor(
    private readonly organizations: OrganizationService,
    private readonly provisioning: ProvisioningService,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Make an organization, with a default location and an optional first owner' })
  @ApiResponse({ status: 201, description: 'The new organization.', standardSchema: ORGANIZATION })
  @ApiProblems({
    409: '`slug_taken` or `slug_reserved`.',
    422: '`unknown_region`, `unknown_shard`, `shard_in_other_region`.',
  })
  async create(
    @Body({ schema: CREATE_ORGANIZATION }) body: ShapeType<typeof CREATE_ORGANIZATION>,
    @RequestId() requestId: string,
  ) {
    return organizationBody(await this.provisioning.create(toNewOrganization(body), body.owner, requestId));
  }

  @Get()
  @ApiOperation({ summary: 'List organizations, oldest first' })
  @ApiResponse({ status: 200, description: 'A page of organizations.', standardSchema: ORGANIZATION_PAGE })
  async list(@Query({ schema: ORGANIZATION_QUERY }) query: ShapeType<typeof ORGANIZATION_QUERY>) {
    return page((await this.organizations.list(query)).map(organizationBody), query.limit, ({ id }) => [id]);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read an organization' })
  @ApiResponse({ status: 200, description: 'The organization.', standardSchema: ORGANIZATION })
  @ApiProblems({ 404: '`not_found`.' })
  async get(@Param('id', { schema: ID }) id: string) {
    return organizationBody(await this.organizations.get(id));
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change name or tier, suspend or resume' })
  @ApiResponse({ status: 200, description: 'The organization as it is now.', standardSchema: ORGANIZATION })
  @ApiProblems({ 404: '`not_found`.', 409: '`organization_state_locked`.', 412: '`version_mismatch`.' })
  async update(
    @Param('id', { schema: ID }) organizationId: string,
    @Body({ schema: UPDATE_ORGANIZATION }) change: ShapeType<typeof UPDATE_ORGANIZATION>,
    @IfMatch() expectedVersion: number | undefined,
    @RequestId() requestId: string,
  ) {
    return organizationBody(await this.provisioning.update({ organizationId, change, expectedVersion, requestId }));
  }

  @Put(':id/limits')
  @ApiOperation({ summary: 'Override limits of the tier, or go back to them' })
  @ApiResponse({ status: 200, description: 'The organization with its limits in force.', standardSchema: ORGANIZATION })
  @ApiProblems({ 404: '`not_found`.', 412: '`version_mismatch`.' })
  async putLimits(
    @Param('id', { schema: ID }) organizationId: string,
    @Body({ schema: PUT_LIMITS }) body: ShapeType<typeof PUT_LIMITS>,
    @IfMatch() expectedVersion: number | undefined,
    @RequestId() requestId: string,
  ) {
    const change = toLimitOverrides(body);
    return organizationBody(await this.provisioning.putLimits({ organizationId, change, expectedVersion, requestId }));
  }

  @Post(':id/api_keys')
  @ApiOperation({ summary: 'Make an API key of an organization; it is shown once' })
  @ApiResponse({ status: 201, description: 'The new key.', standardSchema: NEW_API_KEY })
  @ApiProblems({ 404: '`not_found`.', 422: '`scope_not_in_role`, `expiry_in_past`.' })
  async createApiKey(
    @Param('id', { schema: ID }) organizationId: string,
    @Body({ schema: CREATE_API_KEY }) body: ShapeType<typeof CREATE_API_KEY>,
    @RequestId() requestId: string,
  ) {
    const change = toApiKeyRequest(body);
    return newApiKeyBody(await this.provisioning.createApiKey({ organizationId, change, requestId }));
  }

  @Post(':id/users')
  @ApiOperation({ summary: 'Add a user to an organization' })
  @ApiResponse({ status: 201, description: 'The new user.', standardSchema: USER })
  @ApiProblems({ 403: '`limit_exceeded` (max_users).', 404: '`not_found`.', 409: '`email_taken`.' })
  async createUser(
    @Param('id', { schema: ID }) organizationId: string,
    @Body({ schema: CREATE_USER }) change: ShapeType<typeof CREATE_USER>,
    @RequestId() requestId: string,
  ) {
    return userBody(await this.provisioning.createUser({ organizationId, change, requestId }));
  }
}
