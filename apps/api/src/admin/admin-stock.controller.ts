/** The stock of an organization, for the operators of the platform. */
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { Operators } from '#libs/identity';
import { ReconcileService } from '#libs/inventory';
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import { JOB, type JobView } from '#libs/queues';
import Type from 'typebox';
import { RequestId } from '../access/request-id.decorator';
import { OperatorScope } from './operator-scope.service';

const ID = shape(Fields.id());
const RECONCILE = shape(
  closed({
    repair: Type.Optional(
      Type.Boolean({
        description: 'Write what the movements of a level lack as one more movement; only look where omitted.',
      }),
    ),
  }),
  { optional: true },
);

@ApiTags('admin')
@ApiBearerAuth()
@Operators()
@Controller('v1/admin/organizations/:id/reconcile')
export class AdminStockController {
  constructor(
    private readonly reconcile: ReconcileService,
    private readonly operators: OperatorScope,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({ summary: 'Compare each level with the sum of its movements, as a job' })
  @ApiResponse({ status: 202, description: 'The job, or the one that is under way.', standardSchema: JOB })
  @ApiProblems({ 404: '`organization_unknown`.', 429: '`queue_full`.' })
  request(
    @Param('id', { schema: ID }) organizationId: string,
    @Body({ schema: RECONCILE }) { repair = false }: ShapeType<typeof RECONCILE>,
    @RequestId() requestId: string,
  ): Promise<JobView> {
    return this.operators.within({ organizationId, requestId }, () => this.reconcile.request({ repair }));
  }

  @Get(':job')
  @ApiOperation({ summary: 'Read such a job; its result names the first 100 differences' })
  @ApiResponse({ status: 200, description: 'The job.', standardSchema: JOB })
  @ApiProblems({ 404: '`not_found`, `organization_unknown`.' })
  get(
    @Param('id', { schema: ID }) organizationId: string,
    @Param('job', { schema: ID }) job: string,
    @RequestId() requestId: string,
  ): Promise<JobView> {
    return this.operators.within({ organizationId, requestId }, () => this.reconcile.get(job));
  }
}
