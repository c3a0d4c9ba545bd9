/** Jobs of the caller's organization that have failed for good. */
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import { Fields, shape, type ShapeType } from '#libs/kernel';
import { DEAD_LETTER, DEAD_LETTER_PAGE, DEAD_LETTER_QUERY, JOB, LETTERS_REPLAYED, REPLAY_LETTERS } from '#libs/queues';
import { AuditedLetters } from './audited-letters.service';

const ID = shape(Fields.id());

@ApiTags('dead letters')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.' })
@Controller('v1/dead_letters')
export class DeadLettersController {
  constructor(private readonly letters: AuditedLetters) {}

  @Get()
  @RequirePermission('jobs:read')
  @ApiOperation({ summary: 'List jobs that have failed for good, newest first' })
  @ApiResponse({ status: 200, description: 'A page of dead letters.', standardSchema: DEAD_LETTER_PAGE })
  list(@Query({ schema: DEAD_LETTER_QUERY }) query: ShapeType<typeof DEAD_LETTER_QUERY>) {
    return this.letters.list(query);
  }

  @Post('replay')
  @HttpCode(202)
  @RequirePermission('jobs:write')
  @ApiOperation({ summary: 'Queue the jobs of up to 100 letters of a type again, the oldest first' })
  @ApiResponse({ status: 202, description: 'What came of it.', standardSchema: LETTERS_REPLAYED })
  @ApiProblems({ 429: '`queue_full`, and nothing was replayed.' })
  replayType(@Body({ schema: REPLAY_LETTERS }) body: ShapeType<typeof REPLAY_LETTERS>) {
    return this.letters.replayType(body);
  }

  @Get(':id')
  @RequirePermission('jobs:read')
  @ApiOperation({ summary: 'Read a dead letter' })
  @ApiResponse({ status: 200, description: 'The dead letter.', standardSchema: DEAD_LETTER })
  @ApiProblems({ 404: '`not_found`.' })
  get(@Param('id', { schema: ID }) id: string) {
    return this.letters.get(id);
  }

  @Post(':id/replay')
  @HttpCode(202)
  @RequirePermission('jobs:write')
  @ApiOperation({ summary: 'Queue the job again, from its checkpoint and with all its attempts; the letter goes' })
  @ApiResponse({ status: 202, description: 'The job, queued.', standardSchema: JOB })
  @ApiProblems({ 404: '`not_found`: unknown, replayed or discarded.', 409: '`job_key_in_use`.', 429: '`queue_full`.' })
  replay(@Param('id', { schema: ID }) id: string) {
    return this.letters.replay(id);
  }

  @Delete(':id')
  @HttpCode(204)
  @RequirePermission('jobs:write')
  @ApiOperation({ summary: 'Discard a dead letter; its job stays failed' })
  @ApiResponse({ status: 204, description: 'Discarded.' })
  @ApiProblems({ 404: '`not_found`.' })
  discard(@Param('id', { schema: ID }) id: string): Promise<void> {
    return this.letters.discard(id);
  }
}
