/** /v1/jobs */
import { Controller, Get, HttpCode, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, page, type Page } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import { closed, Fields, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';
import { JOB, JOB_STATES, JobService, jobView, type JobView } from '#libs/queues';
import Type from 'typebox';
import { JobReportService } from './job-report.service';

const ID = shape(Fields.id());
const QUERY = shape(
  closed({
    ...PageQuery,
    state: Type.Optional(Type.Enum([...JOB_STATES], { description: 'Only jobs in this state.' })),
    type: Type.Optional(Fields.text(100, 'Only jobs of this type, such as `bulk.import`.')),
  }),
  { text: true },
);
const PAGE = shape(pageOf(JOB.schema));

@ApiTags('jobs')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.', 404: 'Unknown id.' })
@Controller('v1/jobs')
export class JobsController {
  constructor(
    private readonly jobs: JobService,
    private readonly reports: JobReportService,
  ) {}

  /** Newest first. */
  @Get()
  @RequirePermission('jobs:read')
  @ApiResponse({ status: 200, standardSchema: PAGE })
  async list(@Query({ schema: QUERY }) query: ShapeType<typeof QUERY>): Promise<Page<JobView>> {
    return page((await this.jobs.list(query)).map(jobView), query.limit, (job) => [job.id]);
  }

  @Get(':id')
  @RequirePermission('jobs:read')
  @ApiResponse({ status: 200, standardSchema: JOB })
  async get(@Param('id', { schema: ID }) id: string): Promise<JobView> {
    return jobView(await this.jobs.get(id));
  }

  /** The items that were left out, as CSV: line, code, field, message. */
  @Get(':id/report')
  @RequirePermission('jobs:read')
  @ApiProduces('text/csv')
  @ApiResponse({ status: 200, description: 'One line for each item that was left out; only the header for none.' })
  report(@Param('id', { schema: ID }) id: string): Promise<StreamableFile> {
    return this.reports.open(id);
  }

  /** A queued job never starts; a running one stops before its next step. What it has done stays. */
  @Post(':id/cancel')
  @HttpCode(200)
  @RequirePermission('jobs:write')
  @ApiResponse({ status: 200, standardSchema: JOB })
  @ApiProblems({ 409: '`job_finished`.' })
  async cancel(@Param('id', { schema: ID }) id: string): Promise<JobView> {
    return jobView(await this.jobs.cancel(id));
  }
}
