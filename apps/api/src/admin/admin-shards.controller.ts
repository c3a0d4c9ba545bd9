/** Shards, for the operators of the platform. */
import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { Operators } from '#libs/identity';
import { type ShapeType } from '#libs/kernel';
import { BucketService, ShardOverviewService } from '#libs/organizations';
import { ASSIGN_BUCKETS, BUCKETS_ASSIGNED, SHARDS, shardsBody } from './shard.shape';

@ApiTags('admin')
@ApiBearerAuth()
@Operators()
@Controller('v1/admin/shards')
export class AdminShardsController {
  constructor(
    private readonly shards: ShardOverviewService,
    private readonly buckets: BucketService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'See every shard: its servers, buckets and tenants, and which did not answer' })
  @ApiResponse({ status: 200, description: 'The shards, the home shard first.', standardSchema: SHARDS })
  async list() {
    return shardsBody(await this.shards.overview());
  }

  @Put('buckets')
  @ApiOperation({ summary: 'Give buckets to a shard; whoever lives in them is pinned to where it is' })
  @ApiResponse({ status: 200, description: 'What changed.', standardSchema: BUCKETS_ASSIGNED })
  @ApiProblems({ 422: '`unknown_shard`, `shard_in_other_region`.' })
  assign(@Body({ schema: ASSIGN_BUCKETS }) { from, to, shard }: ShapeType<typeof ASSIGN_BUCKETS>) {
    return this.buckets.assign({ from, to }, shard);
  }
}
