/** Dead letters, for the operators of the platform. */
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { Operators } from '#libs/identity';
import { Fields, shape, type ShapeType } from '#libs/kernel';
import {
  DEAD_LETTER,
  DEAD_LETTER_PAGE,
  DEAD_LETTER_QUERY,
  DeadLetterOverviewService,
  JOB,
  LETTERS_REPLAYED,
  REPLAY_LETTERS,
} from '#libs/queues';
import { RequestId } from '../access/request-id.decorator';
import { AuditedLetters } from '../dead-letters/audited-letters.service';
import { OVERVIEW, OVERVIEW_QUERY, overviewBody } from './dead-letter-overview.shape';
import { OperatorScope } from './operator-scope.service';

const ID = shape(Fields.id());
const OF_TENANT = 'organizations/:id/dead_letters';

@ApiTags('admin')
@ApiBearerAuth()
@Operators()
@Controller('v1/admin')
export class AdminDeadLettersController {
  constructor(
    private readonly overviews: DeadLetterOverviewService,
    private readonly letters: AuditedLetters,
    private readonly operators: OperatorScope,
  ) {}

  @Get('dead_letters')
  @ApiOperation({ summary: 'See whose dead letters lie on which shard, and which did not answer' })
  @ApiResponse({ status: 200, description: 'By tenant and type, the oldest first.', standardSchema: OVERVIEW })
  async overview(@Query({ schema: OVERVIEW_QUERY }) { limit }: ShapeType<typeof OVERVIEW_QUERY>) {
    return overviewBody(await this.overviews.overview(limit));
  }

  @Get(OF_TENANT)
  @ApiOperation({ summary: 'List dead letters of an organization, newest first' })
  @ApiResponse({ status: 200, description: 'A page of dead letters.', standardSchema: DEAD_LETTER_PAGE })
  @ApiProblems({ 404: '`organization_unknown`.' })
  list(
    @Param('id', { schema: ID }) organizationId: string,
    @Query({ schema: DEAD_LETTER_QUERY }) query: ShapeType<typeof DEAD_LETTER_QUERY>,
    @RequestId() requestId: string,
  ) {
    return this.operators.within({ organizationId, requestId }, () => this.letters.list(query));
  }

  @Post(`${OF_TENANT}/replay`)
  @HttpCode(202)
  @ApiOperation({ summary: 'Queue the jobs of up to 100 letters of a type again, the oldest first' })
  @ApiResponse({ status: 202, description: 'What came of it.', standardSchema: LETTERS_REPLAYED })
  @ApiProblems({ 404: '`organization_unknown`.', 429: '`queue_full`, and nothing was replayed.' })
  replayType(
    @Param('id', { schema: ID }) organizationId: string,
    @Body({ schema: REPLAY_LETTERS }) body: ShapeType<typeof REPLAY_LETTERS>,
    @RequestId() requestId: string,
  ) {
    return this.operators.within({ organizationId, requestId }, () => this.letters.replayType(body));
  }

  @Get(`${OF_TENANT}/:letter`)
  @ApiOperation({ summary: 'Read a dead letter' })
  @ApiResponse({ status: 200, description: 'The dead letter.', standardSchema: DEAD_LETTER })
  @ApiProblems({ 404: '`not_found`, `organization_unknown`.' })
  get(
    @Param('id', { schema: ID }) organizationId: string,
    @Param('letter', { schema: ID }) letter: string,
    @RequestId() requestId: string,
  ) {
    return this.operators.within({ organizationId, requestId }, () => this.letters.get(letter));
  }

  @Post(`${OF_TENANT}/:letter/replay`)
  @HttpCode(202)
  @ApiOperation({ summary: 'Queue the job of a dead letter again; the letter goes' })
  @ApiResponse({ status: 202, description: 'The job, queued.', standardSchema: JOB })
  @ApiProblems({ 404: '`not_found`, `organization_unknown`.', 409: '`job_key_in_use`.', 429: '`queue_full`.' })
  replay(
    @Param('id', { schema: ID }) organizationId: string,
    @Param('letter', { schema: ID }) letter: string,
    @RequestId() requestId: string,
  ) {
    return this.operators.within({ organizationId, requestId }, () => this.letters.replay(letter));
  }

  @Delete(`${OF_TENANT}/:letter`)
  @HttpCode(204)
  @ApiOperation({ summary: 'Discard a dead letter; its job stays failed' })
  @ApiResponse({ status: 204, description: 'Discarded.' })
  @ApiProblems({ 404: '`not_found`, `organization_unknown`.' })
  discard(
    @Param('id', { schema: ID }) organizationId: string,
    @Param('letter', { schema: ID }) letter: string,
    @RequestId() requestId: string,
  ) {
    return this.operators.within({ organizationId, requestId }, () => this.letters.discard(letter));
  }
}
