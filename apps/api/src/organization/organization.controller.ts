/** What a caller may know of its own organization and of itself. */
import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { AnyTenantCaller, RequirePermission } from '#libs/identity';
import { ME, meBody, OWN_ORGANIZATION, ownOrganizationBody } from './organization.shape';
import { OwnOrganizationService } from './own-organization.service';

@ApiTags('organization')
@ApiBearerAuth()
@Controller('v1')
export class OrganizationController {
  constructor(private readonly own: OwnOrganizationService) {}

  @Get('me')
  @AnyTenantCaller()
  @ApiOperation({ summary: 'Who you are, for which organization, and what you may do' })
  @ApiResponse({ status: 200, description: 'The caller.', standardSchema: ME })
  async me() {
    const { organization, caller } = await this.own.current();
    return meBody(organization, caller);
  }

  @Get('organization')
  @RequirePermission('organization:read')
  @ApiOperation({ summary: 'Your organization and the limits in force' })
  @ApiResponse({ status: 200, description: 'The organization.', standardSchema: OWN_ORGANIZATION })
  async get() {
    return ownOrganizationBody((await this.own.current()).organization);
  }
}
