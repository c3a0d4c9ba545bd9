/** The API keys of the caller's organization. */
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, page } from '#libs/http';
import { ApiKeyService, RequirePermission } from '#libs/identity';
import { Fields, shape, type ShapeType } from '#libs/kernel';
import {
  API_KEY,
  API_KEY_PAGE,
  API_KEY_QUERY,
  apiKeyBody,
  CREATE_API_KEY,
  NEW_API_KEY,
  newApiKeyBody,
  toApiKeyRequest,
} from './api-key.shape';

const ID = shape(Fields.id());

@ApiTags('api_keys')
@ApiBearerAuth()
@Controller('v1/api_keys')
export class ApiKeysController {
  constructor(private readonly apiKeys: ApiKeyService) {}

  @Post()
  @RequirePermission('keys:write')
  @ApiOperation({ summary: 'Make an API key; it is shown once' })
  @ApiResponse({ status: 201, description: 'The new key.', standardSchema: NEW_API_KEY })
  @ApiProblems({
    403: '`permission_denied`: it would hold more than you do.',
    422: '`scope_not_in_role`, `expiry_in_past`.',
  })
  async create(@Body({ schema: CREATE_API_KEY }) body: ShapeType<typeof CREATE_API_KEY>) {
    return newApiKeyBody(await this.apiKeys.create(toApiKeyRequest(body)));
  }

  @Get()
  @RequirePermission('keys:read')
  @ApiOperation({ summary: 'List API keys, oldest first, without their secrets' })
  @ApiResponse({ status: 200, description: 'A page of keys.', standardSchema: API_KEY_PAGE })
  async list(@Query({ schema: API_KEY_QUERY }) query: ShapeType<typeof API_KEY_QUERY>) {
    return page((await this.apiKeys.list(query)).map(apiKeyBody), query.limit, (key) => [key.id]);
  }

  @Get(':id')
  @RequirePermission('keys:read')
  @ApiOperation({ summary: 'Read an API key, without its secret' })
  @ApiResponse({ status: 200, description: 'The key.', standardSchema: API_KEY })
  @ApiProblems({ 404: '`not_found`.' })
  async get(@Param('id', { schema: ID }) id: string) {
    return apiKeyBody(await this.apiKeys.get(id));
  }

  @Delete(':id')
  @HttpCode(204)
  @RequirePermission('keys:write')
  @ApiOperation({ summary: 'Revoke an API key for good' })
  @ApiResponse({ status: 204, description: 'Revoked.' })
  @ApiProblems({ 404: '`not_found`.' })
  async revoke(@Param('id', { schema: ID }) id: string) {
    await this.apiKeys.revoke(id);
  }
}
