/** Needs, from global modules: the shards, the control pool, the directory and PlatformEvents. */
import { Module } from '@nestjs/common';
import { BucketService } from './bucket.service';
import { OrganizationRepository } from './organization.repository';
import { OrganizationService } from './organization.service';
import { PlaceRepository } from './place.repository';
import { PlaceUpkeep } from './place-upkeep';
import { ShardOverviewService } from './shard-overview.service';

@Module({
  providers: [
    ...[OrganizationRepository, OrganizationService, PlaceRepository, PlaceUpkeep],
    ...[ShardOverviewService, BucketService],
  ],
  exports: [OrganizationService, ShardOverviewService, BucketService],
})
export class OrganizationsModule {}
