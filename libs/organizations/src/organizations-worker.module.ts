/** The worker's half: upkeep of places. Needs QueueWorkerModule beside it. */
import { Module } from '@nestjs/common';
import { OrganizationRepository } from './organization.repository';
import { PlaceRepository } from './place.repository';
import { PlaceTask } from './place.task';
import { PlaceUpkeep } from './place-upkeep';

@Module({ providers: [OrganizationRepository, PlaceRepository, PlaceUpkeep, PlaceTask] })
export class OrganizationsWorkerModule {}
