/** Needs, from global modules: the shards, the control pool, the directory and PlatformEvents. */
import { Module } from '@nestjs/common';
import { OrganizationRepository } from './organization.repository';
import { OrganizationService } from './organization.service';
import { PlaceRepository } from './place.repository';

@Module({ providers: [OrganizationRepository, OrganizationService, PlaceRepository], exports: [OrganizationService] })
export class OrganizationsModule {}
