/** /v1/locations */
import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CREATE_LOCATION, LOCATION, type Location, LocationService, UPDATE_LOCATION } from '#libs/catalog';
import { ApiProblems, IfMatch, page, type Page } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import { closed, Fields, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';

const ID = shape(Fields.id());
const QUERY = shape(closed(PageQuery), { text: true });
const PAGE = shape(pageOf(LOCATION.schema));

@ApiTags('catalog')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.', 404: 'Unknown id.' })
@Controller('v1/locations')
export class LocationsController {
  constructor(private readonly locations: LocationService) {}

  @Post()
  @ApiOperation({ summary: 'Create a location' })
  @RequirePermission('catalog:write')
  @ApiResponse({ status: 201, standardSchema: LOCATION })
  @ApiProblems({ 409: '`location_code_taken`.' })
  create(@Body({ schema: CREATE_LOCATION }) body: ShapeType<typeof CREATE_LOCATION>): Promise<Location> {
    return this.locations.create(body);
  }

  @Get()
  @ApiOperation({ summary: 'List locations' })
  @RequirePermission('catalog:read')
  @ApiResponse({ status: 200, standardSchema: PAGE })
  async list(@Query({ schema: QUERY }) query: ShapeType<typeof QUERY>): Promise<Page<Location>> {
    return page(await this.locations.list(query), query.limit, (location) => [location.id]);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a location' })
  @RequirePermission('catalog:read')
  @ApiResponse({ status: 200, standardSchema: LOCATION })
  get(@Param('id', { schema: ID }) id: string): Promise<Location> {
    return this.locations.get(id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change a location' })
  @RequirePermission('catalog:write')
  @ApiResponse({ status: 200, standardSchema: LOCATION })
  @ApiProblems({ 409: '`default_location`; `location_holds_stock`.', 412: 'If-Match names another version.' })
  update(
    @Param('id', { schema: ID }) id: string,
    @IfMatch() version: number | undefined,
    @Body({ schema: UPDATE_LOCATION }) body: ShapeType<typeof UPDATE_LOCATION>,
  ): Promise<Location> {
    return this.locations.update(id, version, body);
  }
}
