/** HTTP side of schedules. */
import { Module } from '@nestjs/common';
import { SchedulesModule } from '#libs/schedules';
import { SchedulesController } from './schedules.controller';

@Module({ imports: [SchedulesModule], controllers: [SchedulesController] })
export class SchedulesHttpModule {}
