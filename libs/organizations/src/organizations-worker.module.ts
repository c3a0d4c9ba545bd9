/** The worker's half: upkeep of places. Needs QueueWorkerModule beside it. */
import { Module } from '@nestjs/common';
import { PlaceRepository } from './place.repository';
import { PlaceTask } from './place.task';

@Module({ providers: [PlaceRepository, PlaceTask] })
export class OrganizationsWorkerModule {}
