/** HTTP side of reports. */
import { Module } from '@nestjs/common';
import { ReportsModule } from '#libs/reports';
import { ReportsController } from './reports.controller';

@Module({ imports: [ReportsModule], controllers: [ReportsController] })
export class ReportsHttpModule {}
