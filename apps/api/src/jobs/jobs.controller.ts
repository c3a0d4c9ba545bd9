/** /v1/jobs */
import { Body, Controller, Get, HttpCode, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, IdempotencyKey, page, type Page } from '#libs/http';
import type { IdempotentReply } from '#libs/idempotency';
import { RequirePermission } from '#libs/identity';
import { closed, Fields, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';
import {
  CREATE_JOB,
  JOB,
  JOB_CLASSES,
  JOB_LOG_LINE,
  JOB_STATES,
  jobLogLineView,
  type JobLogLineView,
  type JobRequest,
  JobRequests,
  JobService,
  jobView,
  type JobView,
} from '#libs/queues';
import { Admit, RateLimit } from '#libs/throttling';
import Type from 'typebox';
import { AuditedLetters } from '../dead-letters/audited-letters.service';
import { Idempotent } from '../idempotency/idempotent.decorator';
import { JobReportService } from './job-report.service';

const ID = shape(Fields.id());
const QUERY = shape(
  closed({
    ...PageQuery,
    state: Type.Optional(Type.Enum([...JOB_STATES], { description: 'Only jobs in this state.' })),
    type: Type.Optional(Fields.text(100, 'Only jobs of this type, such as `bulk.import`.')),
    class: Type.Optional(Type.Enum([...JOB_CLASSES], { description: 'Only jobs of this class.' })),
    created_after: Type.Optional(Fields.timestamp('Only jobs that were created after this time, RFC 3339.')),
    created_before: Type.Optional(Fields.timestamp('Only jobs that were created before this time, RFC 3339.')),
  }),
  { text: true },
);
const PAGE = shape(pageOf(JOB.schema));
const LOG_QUERY = shape(closed(PageQuery), { text: true });
const LOG_PAGE = shape(pageOf(JOB_LOG_LINE.schema));

@ApiTags('jobs')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.', 404: 'Unknown id.' })
@Controller('v1/jobs')
export class JobsController {
  constructor(
    private readonly jobs: JobService,
    private readonly requests: JobRequests,
    private readonly reports: JobReportService,
    private readonly letters: AuditedLetters,
  ) {}

  /** A job of a type that clients may create. It counts as an export, which is what such types do. */
  @Post()
  @ApiOperation({ summary: 'Create a job of a type that clients may create' })
  @Admit({ priority: 'report' })
  @RateLimit('export')
  @RequirePermission('jobs:write')
  @Idempotent('optional')
  @ApiResponse({ status: 202, description: 'The new job.', standardSchema: JOB })
  @ApiResponse({ status: 200, description: 'The job with this dedupe_key, which has not ended.', standardSchema: JOB })
  @ApiProblems({
    409: '`idempotency_key_in_use`.',
    422: '`unknown_job_type`, `job_type_not_creatable`, `idempotency_key_reused`.',
    429: '`queue_full`: as many jobs wait as `max_waiting_jobs` says; or too many requests.',
  })
  create(
    @IdempotencyKey('optional') key: string | undefined,
    @Body({ schema: CREATE_JOB }) body: JobRequest,
  ): Promise<IdempotentReply<JobView>> {
    return this.requests.create(body, key);
  }

  /** Newest first. */
  @Get()
  @ApiOperation({ summary: 'List jobs, newest first' })
  @RequirePermission('jobs:read')
  @ApiResponse({ status: 200, standardSchema: PAGE })
  async list(@Query({ schema: QUERY }) query: ShapeType<typeof QUERY>): Promise<Page<JobView>> {
    return page((await this.jobs.list(query)).map(jobView), query.limit, (job) => [job.id]);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a job' })
  @RequirePermission('jobs:read')
  @ApiResponse({ status: 200, standardSchema: JOB })
  async get(@Param('id', { schema: ID }) id: string): Promise<JobView> {
    return jobView(await this.jobs.get(id));
  }

  /** What the job said of itself, oldest line first. The newest 1,000 lines are kept; their numbers tell what is gone. */
  @Get(':id/log')
  @ApiOperation({ summary: 'Read the log of a job, oldest line first' })
  @RequirePermission('jobs:read')
  @ApiResponse({ status: 200, standardSchema: LOG_PAGE })
  async log(
    @Param('id', { schema: ID }) id: string,
    @Query({ schema: LOG_QUERY }) query: ShapeType<typeof LOG_QUERY>,
  ): Promise<Page<JobLogLineView>> {
    const lines = await this.jobs.log(id, query);
    return page(lines.map(jobLogLineView), query.limit, ({ line }) => [String(line)]);
  }

  /** The items that were left out, as CSV: line, code, field, message. */
  @Get(':id/report')
  @ApiOperation({ summary: 'Download the items that a job left out' })
  @Admit({ priority: 'report', holds: 'slot' })
  @RequirePermission('jobs:read')
  @ApiProduces('text/csv')
  @ApiResponse({ status: 200, description: 'One line for each item that was left out; only the header for none.' })
  report(@Param('id', { schema: ID }) id: string): Promise<StreamableFile> {
    return this.reports.open(id);
  }

  /** A queued job never starts; a running one stops before its next step. What it has done stays. */
  @Post(':id/cancel')
  @ApiOperation({ summary: 'Cancel a queued or running job' })
  @HttpCode(200)
  @RequirePermission('jobs:write')
  @ApiResponse({ status: 200, standardSchema: JOB })
  @ApiProblems({ 409: '`job_finished`.' })
  async cancel(@Param('id', { schema: ID }) id: string): Promise<JobView> {
    return jobView(await this.jobs.cancel(id));
  }

  /** A job that failed or was cancelled is queued again and goes on from where it was, with all of its attempts. */
  @Post(':id/retry')
  @ApiOperation({ summary: 'Queue a failed or cancelled job again' })
  @HttpCode(202)
  @RequirePermission('jobs:write')
  @ApiResponse({ status: 202, standardSchema: JOB })
  @ApiProblems({
    409: '`job_not_retryable` in any other state; `job_key_in_use` while another open job has its dedupe_key.',
    429: '`queue_full`.',
  })
  retry(@Param('id', { schema: ID }) id: string): Promise<JobView> {
    return this.letters.retry(id);
  }
}
