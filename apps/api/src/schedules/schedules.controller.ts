/** /v1/schedules */
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, IfMatch, page, type Page } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import { closed, Fields, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';
import {
  CREATE_SCHEDULE,
  type NewSchedule,
  SCHEDULE,
  SCHEDULE_STATES,
  type ScheduleChange,
  ScheduleService,
  scheduleView,
  type ScheduleView,
  UPDATE_SCHEDULE,
} from '#libs/schedules';
import Type from 'typebox';

const ID = shape(Fields.id());
const QUERY = shape(
  closed({
    ...PageQuery,
    state: Type.Optional(Type.Enum([...SCHEDULE_STATES], { description: 'Only schedules in this state.' })),
  }),
  { text: true },
);
const PAGE = shape(pageOf(SCHEDULE.schema));

@ApiTags('schedules')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.', 404: 'Unknown id.' })
@Controller('v1/schedules')
export class SchedulesController {
  constructor(private readonly schedules: ScheduleService) {}

  /** Makes a job of the type at each tick, from the next one on. */
  @Post()
  @ApiOperation({ summary: 'Create a schedule' })
  @RequirePermission('jobs:write')
  @ApiResponse({ status: 201, standardSchema: SCHEDULE })
  @ApiProblems({
    400: 'Malformed request, `invalid_cron` or `invalid_time_zone`.',
    403: '`limit_exceeded` (max_schedules) or not permitted.',
    409: '`schedule_name_taken`.',
    422: '`job_type_not_schedulable`.',
  })
  async create(@Body({ schema: CREATE_SCHEDULE }) body: NewSchedule): Promise<ScheduleView> {
    return scheduleView(await this.schedules.create(body));
  }

  /** Newest first. */
  @Get()
  @ApiOperation({ summary: 'List schedules, newest first' })
  @RequirePermission('jobs:read')
  @ApiResponse({ status: 200, standardSchema: PAGE })
  async list(@Query({ schema: QUERY }) query: ShapeType<typeof QUERY>): Promise<Page<ScheduleView>> {
    const { data, ...rest } = page(await this.schedules.list(query), query.limit, ({ id }) => [id]);
    return { data: data.map(scheduleView), ...rest };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a schedule' })
  @RequirePermission('jobs:read')
  @ApiResponse({ status: 200, standardSchema: SCHEDULE })
  async get(@Param('id', { schema: ID }) id: string): Promise<ScheduleView> {
    return scheduleView(await this.schedules.get(id));
  }

  /** With another cron or time_zone it goes on with the next tick of that. */
  @Patch(':id')
  @ApiOperation({ summary: 'Change a schedule' })
  @RequirePermission('jobs:write')
  @ApiResponse({ status: 200, standardSchema: SCHEDULE })
  @ApiProblems({ 409: '`schedule_name_taken`.', 412: 'If-Match names another version.' })
  async update(
    @Param('id', { schema: ID }) id: string,
    @IfMatch() version: number | undefined,
    @Body({ schema: UPDATE_SCHEDULE }) body: ScheduleChange,
  ): Promise<ScheduleView> {
    return scheduleView(await this.schedules.update(id, version, body));
  }

  /** No ticks until it is resumed. */
  @Post(':id/pause')
  @ApiOperation({ summary: 'Pause a schedule' })
  @HttpCode(200)
  @RequirePermission('jobs:write')
  @ApiResponse({ status: 200, standardSchema: SCHEDULE })
  @ApiProblems({ 412: 'If-Match names another version.' })
  async pause(@Param('id', { schema: ID }) id: string, @IfMatch() version: number | undefined): Promise<ScheduleView> {
    return scheduleView(await this.schedules.pause(id, version));
  }

  /** Goes on with the next tick; those of the pause are not made up for. */
  @Post(':id/resume')
  @ApiOperation({ summary: 'Resume a schedule' })
  @HttpCode(200)
  @RequirePermission('jobs:write')
  @ApiResponse({ status: 200, standardSchema: SCHEDULE })
  @ApiProblems({ 412: 'If-Match names another version.', 422: '`job_type_not_schedulable`.' })
  async resume(@Param('id', { schema: ID }) id: string, @IfMatch() version: number | undefined): Promise<ScheduleView> {
    return scheduleView(await this.schedules.resume(id, version));
  }

  /** The jobs that it has made stay. */
  @Delete(':id')
  @ApiOperation({ summary: 'Delete a schedule' })
  @HttpCode(204)
  @RequirePermission('jobs:write')
  @ApiResponse({ status: 204, description: 'Deleted.' })
  @ApiProblems({ 412: 'If-Match names another version.' })
  async delete(@Param('id', { schema: ID }) id: string, @IfMatch() version: number | undefined): Promise<void> {
    await this.schedules.delete(id, version);
  }
}
